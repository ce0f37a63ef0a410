import { basename } from "node:path";
import { expect, test } from "vitest";
import { ensureControlPlane, ensureRuntime, partStates, untilPodsRun } from "../../local/cluster";
import { findHolder, nodeProcesses, stopNode } from "../../local/cluster/node";
import { kubeconfig } from "../../local/paths";
import { attempt, run } from "../../local/run";
import { localCluster } from "../e2e/cluster";

const parts = Object.keys(partStates());

const processOf = (part: string) => {
  const holder = findHolder();
  if (!holder) throw new Error("the node is not running");
  return nodeProcesses(holder).find(({ commandLine }) => basename(commandLine[0] ?? "") === part);
};

async function start(): Promise<void> {
  const { toolchain, images } = await localCluster();
  await ensureRuntime(toolchain, () => {});
  await ensureControlPlane(toolchain, images.addons, () => {});
  await untilPodsRun(toolchain);
}

test.each(parts)("after kill -9 of %s another start mends the cluster", async (part) => {
  const killed = processOf(part);
  expect(killed).toBeDefined();
  process.kill(killed?.pid as number, "SIGKILL");
  await expect.poll(() => processOf(part)?.pid).not.toBe(killed?.pid);
  await start();
  expect(processOf(part)?.pid).toBeDefined();
  const { toolchain } = await localCluster();
  await run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, "get", "--raw", "/readyz"]);
});

test("a start beside a running cluster changes nothing", async () => {
  const before = parts.map((part) => processOf(part)?.pid);
  await start();
  expect(parts.map((part) => processOf(part)?.pid)).toEqual(before);
});

test("down leaves network, mounts, cgroups and processes as they were, and a start brings the cluster back", async () => {
  await stopNode();
  const shown = async (command: string) => (await attempt("sh", ["-c", command])).output;
  expect(await shown("ip -oneline link; ip route; ip netns")).not.toMatch(
    /image-service|10\.250|10\.96/,
  );
  expect(await shown("cat /proc/mounts")).not.toMatch(
    /\/var\/lib\/image-service|\/run\/containerd/,
  );
  expect(await shown("find /sys/fs/cgroup -name 'image-service*' -o -name 'kubepods*'")).toBe("");
  expect(await shown("ps -eo args")).not.toMatch(
    /\/kubelet |\/containerd |containerd-shim|\/etcd /,
  );

  // Taken by somebody else, the addresses are not taken over.
  await run("ip", ["link", "add", "e2e-taken", "type", "veth"]);
  try {
    await run("ip", ["address", "add", "10.250.0.77/24", "dev", "e2e-taken"]);
    await run("ip", ["link", "set", "e2e-taken", "up"]);
    await expect(start()).rejects.toThrow("the address range 10.250.0.0/24 is taken");
  } finally {
    await run("ip", ["link", "delete", "e2e-taken"]);
  }

  await start();
  expect(findHolder()).toBeDefined();
});
