import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../local/paths";
import { attempt } from "../../local/run";
import { ensureToolchain, type Toolchain } from "../../local/toolchain";
import type { Props } from "../../policy/resource";
import { accepted, stacks } from "../golden/stacks";
import type { Containers } from "./logs/found";
import { GoldenPod } from "./pod";

// VictoriaLogs and vlagent with the arguments that are declared, on a node that is none.

const scratch = mkdtempSync(join(tmpdir(), "image-service-logs-"));
let toolchain: Toolchain;

beforeAll(async () => {
  toolchain = await ensureToolchain(() => {}, ["victoria-logs", "vlagent"]);
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true }));

const logging = stacks.filter((stack) => "logs-server" in accepted(stack));

const containerOf = (stack: string, name: string): Props =>
  (accepted(stack)[name] as { inputs: Props }).inputs.spec.template.spec.containers[0];

/** Its command, on this machine. */
function commandOf(stack: string, name: string): string[] {
  const places: Record<string, string> = {
    "/victoria-logs-prod": toolchain["victoria-logs"],
    "/vlagent-prod": toolchain.vlagent,
    "-storageDataPath=/data": `-storageDataPath=${scratch}/data`,
    "-tmpDataPath=/buffer": `-tmpDataPath=${scratch}/buffer`,
  };
  return (containerOf(stack, name).command as string[]).map((word) => places[word] ?? word);
}

test.each(logging)("%s: both programs know each of their flags", async (stack) => {
  for (const name of ["logs-server", "log-collector-server"]) {
    const [program = "", ...flags] = commandOf(stack, name);
    const { output } = await attempt(program, ["-help"]);
    for (const flag of flags) expect(output).toContain(`\n  ${flag.split("=")[0]}`);
  }
});

test("the log store starts as its own user, and again on what it left", async () => {
  const pod = new GoldenPod("local", "logs-server");
  try {
    for (const _ of ["first", "again"]) {
      const { status, output } = await pod.start();
      expect(status, output).toBe(0);
    }
  } finally {
    pod.close();
  }
});

/** Namespaces of mounts, names and network, with what a node's root has in its places. */
const node = `
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/log" /var/log
mount -t tmpfs none /run
ip link set lo up
exec node --import tsx test/vendors/logs/node.ts "$2"`;

test("10,000 lines arrive though the store is away for a while, and the collector starts anew", async () => {
  const [stack = ""] = logging;
  mkdirSync(join(scratch, "log"));
  writeFileSync(
    join(scratch, "hosts"),
    "127.0.0.1 localhost victoria-logs.image-service.svc.cluster.local\n",
  );
  const count = 10_000;
  const given: Containers = {
    store: commandOf(stack, "logs-server"),
    collector: commandOf(stack, "log-collector-server"),
    namespace: "image-service",
    count,
  };
  const { status, stdout, output } = await attempt(
    "unshare",
    [
      ...["--mount", "--net", "--uts", "--pid", "--fork", "--kill-child"],
      ...["bash", "--norc", "-euc", node, "node", scratch, JSON.stringify(given)],
    ],
    { cwd: repository },
  );
  expect(status, output).toBe(0);
  const { own, other, example } = JSON.parse(stdout.trim().split("\n").at(-1) as string);
  expect(own.different).toBe(count);
  // A namespace that is not the stack's is none of its business.
  expect(other.lines).toBe(0);
  expect(example).toMatchObject({
    _msg: "a line",
    level: "INFO",
    request_id: "r",
    "kubernetes.pod_name": "api-of-image-service",
    "kubernetes.pod_labels.app": "api",
  });
}, 120_000);
