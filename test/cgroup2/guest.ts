import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ensureParts, ensureRuntime } from "../../local/cluster";
import {
  cgroupProcesses,
  cgroupRoot,
  createCgroups,
  joinNodeCgroup,
  memoryBytes,
} from "../../local/cluster/cgroups";
import { ensureNode, findHolder, inNode, stopNode } from "../../local/cluster/node";
import { logs } from "../../local/paths";
import { children, descendants, mount, read, traces, write } from "./groups";
import { containerStatus, standaloneKubelet, writePod } from "./pods";
import type { Settings } from "./settings";

// Runs in the virtual machine; by node:test, since vitest takes a minute to start there.

const { toolchain, image, archive } = JSON.parse(
  readFileSync(process.env.SETTINGS as string, "utf8"),
) as Settings;
const megabyte = 2 ** 20;
const shell = (line: string) => execFileSync("sh", ["-euc", line], { encoding: "utf8" });

/**
 * Runs a scenario of container.ts as `docker run --privileged` would: in cgroup, process and mount
 * namespaces of its own, with another process beside it in the root of its groups.
 */
function inContainer(scenario: string, mountOptions = "rw"): void {
  const group = join(mount, "container");
  mkdirSync(group);
  const inside =
    `umount ${mount}; mount -t cgroup2 -o ${mountOptions} cgroup2 ${mount}; sleep 600 & ` +
    `exec ${process.execPath} --require tsx/cjs container.ts ${scenario}`;
  // Without the container's manager, one process only would seem to have the id 0 to it.
  const outside = `echo 0 >${group}/cgroup.procs; exec unshare --cgroup --mount sh -euc "${inside}"`;
  try {
    execFileSync(
      "unshare",
      ["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-euc", outside],
      { stdio: "inherit" },
    );
  } finally {
    shell(`for try in 1 2 3 4 5 6 7 8 9; do rmdir ${group} && break; sleep 1; done`);
  }
}

test("a container that was given no memory controller is refused with its name", () => {
  write("/", "cgroup.subtree_control", "+cpu +pids");
  inContainer("no-memory");
});

test("a container whose cgroups are read-only is refused", () => {
  write("/", "cgroup.subtree_control", "+cpuset +io +memory");
  inContainer("read-only", "ro");
});

test("in a container with processes in the root of its cgroup namespace the node starts, and goes without a trace", () =>
  inContainer("node"));

test("groups that come and go, or are threaded, don't disturb who lists their processes", async () => {
  createCgroups();
  mkdirSync(join(mount, cgroupRoot, "pod/thread"), { recursive: true });
  write(join(cgroupRoot, "pod/thread"), "cgroup.type", "threaded");
  const churn = spawn("sh", [
    "-c",
    `cd ${join(mount, cgroupRoot)}; while :; do mkdir a a/b a/b/c; rmdir a/b/c a/b a; done`,
  ]);
  const ended = new Promise((resolve) => churn.once("exit", resolve));
  try {
    for (let tries = 0; tries < 2_000; tries++) assert.deepEqual(cgroupProcesses(), []);
  } finally {
    churn.kill("SIGKILL");
    await ended;
    await stopNode();
  }
});

const before = traces();

test("the node's groups have every controller that kubelet wants, although processes run in the root", async () => {
  assert.notEqual(read("/", "cgroup.procs"), "");
  await ensureRuntime(toolchain, () => {});
  const wanted = ["cpu", "cpuset", "hugetlb", "memory", "pids"];
  for (const group of [cgroupRoot, join(cgroupRoot, "node")]) {
    const delegated = read(group, "cgroup.controllers").split(" ");
    assert.deepEqual(
      wanted.filter((name) => !delegated.includes(name)),
      [],
      group,
    );
  }
});

test("systemd, which withdraws from the root what no unit of its own needs, can't take it from the node", () => {
  assert.throws(() => write("/", "cgroup.subtree_control", "-cpuset"), { code: "EBUSY" });
});

test("memoryBytes counts what processes hold and not what the kernel caches of files", () => {
  const start = memoryBytes();
  shell(`${joinNodeCgroup()}; head -c ${100 * megabyte} /dev/zero >/dev/shm/held`);
  shell(
    `${joinNodeCgroup()}; mkdir /state/cached; cd /state/cached; ` +
      `head -c ${200 * megabyte} /dev/zero >data; seq 30000 | xargs touch`,
  );
  const grown = memoryBytes() - start;
  rmSync("/dev/shm/held");
  assert.ok(grown >= 100 * megabyte && grown <= 116 * megabyte, `${grown / megabyte} MiB`);
});

test("kubelet runs a pod whose limits are in its group's files", async () => {
  const holder = findHolder();
  assert.ok(holder);
  await inNode(holder.pid, `${toolchain.ctr} -n k8s.io images import --local ${archive}`);
  const sh = (line: string) => ["/busybox", "sh", "-c", line];
  writePod("limited", [
    {
      name: "limited",
      image,
      command: sh("sleep 36000"),
      resources: { limits: { cpu: "500m", memory: "64Mi" } },
    },
  ]);
  writePod("greedy", [
    {
      name: "greedy",
      image,
      // The one that grows isn't the container's first process.
      command: sh("tail /dev/zero; sleep 36000"),
      resources: { limits: { memory: "32Mi" } },
    },
    { name: "neighbour", image, command: sh("sleep 36000") },
  ]);
  await ensureParts([standaloneKubelet()], toolchain, () => {});
  const { containerID } = await containerStatus("limited", "limited", "running");
  const group = descendants(cgroupRoot).find((path) =>
    path.endsWith(containerID?.replace("containerd://", "") ?? "?"),
  );
  assert.ok(group, `no group of ${containerID}`);
  for (const limited of [group, join(group, "..")]) {
    assert.equal(read(limited, "memory.max"), String(64 * megabyte));
    assert.equal(read(limited, "cpu.max"), "50000 100000");
    assert.match(read(limited, "pids.max"), /^(max|\d+)$/);
  }
});

test("a container over its memory limit is killed whole and reported, its neighbour is not", async () => {
  const { state } = await containerStatus("greedy", "greedy", "terminated");
  assert.equal(state.terminated?.reason, "OOMKilled");
  assert.equal(state.terminated?.exitCode, 137);
  await containerStatus("greedy", "neighbour", "running");
});

test("after a crash of the node's first process a start begins anew", async () => {
  const crashed = findHolder();
  process.kill(crashed?.pid as number, "SIGKILL");
  while (findHolder()) shell("sleep 0.1");
  await ensureNode(() => {});
  assert.deepEqual(children(cgroupRoot), ["node"]);
});

test("down leaves no group, mount, link, route or process", async () => {
  await stopNode();
  assert.deepEqual(traces(), before);
});

after(() => {
  if (process.exitCode) console.log(shell(`tail -n 20 ${logs}/*.log || true`));
});
