import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alertLog, type Told, toldBy } from "../../local/alerts";
import { addresses } from "../../local/cluster/addresses";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { hostUrl } from "../../local/services";
import type { LocalStack } from "../../local/stack";
import { readStatus, type Status } from "../../local/status";
import type { Toolchain } from "../../local/toolchain";
import { rulesOf } from "../golden/alerts";
import { metricsOf } from "../unit/observability/metrics";
import { localCluster, openStack } from "./cluster";
import { Trouble } from "./trouble";

// From a cause to who is told of it: a stack of its own and, for what takes longest, the local stack beside it; and
// the sink that all stacks of the cluster tell.

const namespace = "image-service-alerts";
const nodePort = 30084;
const minute = 60;
const values = {
  namespace,
  nginx: { replicas: 1, serviceType: "NodePort", nodePort },
  endpoint: `http://${addresses.node}:${nodePort}`,
};

let stack: LocalStack;
let toolchain: Toolchain;
let prometheus: string;

const kubectl = (...args: string[]) =>
  run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);
const inNamespace = (...args: string[]) => kubectl("--namespace", namespace, ...args);

const started = Date.now();

/** What somebody was told of a stack since then, the first first. */
const toldOf = async (namespace: string): Promise<Told[]> =>
  toldBy(await kubectl(...alertLog)).filter(
    (each) => each.namespace === namespace && Date.parse(each.at) > started,
  );

const told = () => toldOf(namespace);
const statusesOf = async (alert: string) =>
  (await told()).filter(({ name }) => name === alert).map(({ status }) => status);

let trouble: Trouble;

beforeAll(async () => {
  ({ toolchain } = await localCluster());
  trouble = new Trouble(readStatus() as Status, kubectl, toldOf);
  await trouble.begin();
  stack = await openStack("alerts", values);
  await stack.up(() => {});
  const outputs = await stack.outputs();
  prometheus = await hostUrl(toolchain, outputs.prometheus as string);
});

afterAll(async () => {
  await trouble?.end();
  await stack?.destroy(() => {});
  stack?.close();
});

test("promtool finds no fault in what api and workers serve", async () => {
  for (const pods of ["deployment/api", "deployment/aigc-workers"]) {
    const fetched =
      "import urllib.request as r; print(r.urlopen('http://localhost:9090/metrics').read().decode(), end='')";
    const metrics = await inNamespace("exec", pods, "--", "python", "-c", fetched);
    expect(metrics).toContain("aigc_attempts_total");
    const checked = spawnSync(
      toolchain.kubectl,
      [
        ...[`--kubeconfig=${kubeconfig}`, "--namespace", namespace, "exec", "--stdin"],
        ...["prometheus-0", "--", "promtool", "check", "metrics"],
      ],
      { input: metrics, encoding: "utf8" },
    );
    expect(checked.stderr + checked.stdout).toBe("");
    expect(checked.status).toBe(0);
  }
});

test("Prometheus has every metric that this stack's alerts ask for", async () => {
  // There once a size has been compiled, which takes a GPU; and of volumes that are no directories.
  const asked = rulesOf("local")
    .flatMap(({ expr }) => metricsOf(expr))
    .filter((metric) => !/^(aigc_worker_compiled|kubelet_volume_stats_.*)$/.test(metric));
  await fetch(`${values.endpoint}/api/queue`);
  const names = async () => {
    const answer = await fetch(`${prometheus}/api/v1/label/__name__/values`);
    return ((await answer.json()) as { data: string[] }).data;
  };
  await expect
    .poll(names, { timeout: 60_000, interval: 2_000 })
    .toEqual(expect.arrayContaining(asked));
});

test("Prometheus evaluates each of this stack's alerts", async () => {
  const evaluated = async () => {
    const answer = await fetch(`${prometheus}/api/v1/rules?type=alert`);
    const { data } = (await answer.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    return data.groups
      .flatMap(({ rules }) => rules)
      .map(({ name, health, lastError }) => [name, health, lastError].join(" ").trim());
  };
  await expect
    .poll(evaluated, { timeout: 60_000, interval: 2_000 })
    .toEqual(rulesOf("local").map(({ alert }) => `${alert} ok`));
});

test.concurrent("without PostgreSQL DatabaseDown comes within its time, once and alone, and it is told when it is over", async ({
  expect,
}) => {
  const stopped = Date.now();
  await inNamespace("scale", "statefulset/postgres", "--replicas=0");
  await expect
    .poll(() => statusesOf("DatabaseDown"), { timeout: 240_000, interval: 2_000 })
    .toEqual(["firing"]);
  const [{ at, severity } = { at: "", severity: "" }] = await told();
  // Its `for`, and a minute.
  expect(Date.parse(at) - stopped).toBeLessThan((60 + 60) * 1_000);
  expect(severity).toBe("page");
  await inNamespace("scale", "statefulset/postgres", "--replicas=1");
  await expect
    .poll(() => statusesOf("DatabaseDown"), { timeout: 300_000, interval: 2_000 })
    .toEqual(["firing", "resolved"]);
  expect(new Set((await told()).map(({ name }) => name))).toEqual(new Set(["DatabaseDown"]));
});

test.concurrent("of a full queue without workers NoWorker alone tells, of a backup that is broken meanwhile ArchiveFails, once each and in their time, and both when they are over", async ({
  expect,
}) => {
  const comes = (alert: string, seconds: number) =>
    expect
      .poll(() => trouble.statusesOf(alert), { timeout: seconds * 1_000, interval: 2_000 })
      .toEqual(["firing"]);
  await comes("NoWorker", (2 + 1) * minute);
  await comes("ArchiveFails", (5 + 1) * minute);
  for (const [alert, lasts] of [
    ["NoWorker", 2 * minute],
    ["ArchiveFails", 5 * minute],
  ] as const) {
    const [first] = (await trouble.told()).filter(({ name }) => name === alert);
    expect(first?.severity).toBe("page");
    expect(Date.parse(first?.at as string) - trouble.began).toBeLessThan((lasts + minute) * 1_000);
  }
  // It is so, and hidden.
  await expect
    .poll(() => trouble.alerts(["firing"]), { timeout: 60_000, interval: 2_000 })
    .toContain("RequestsShed");
  await trouble.end();
  for (const alert of ["NoWorker", "ArchiveFails"]) {
    await expect
      .poll(() => trouble.statusesOf(alert), { timeout: 300_000, interval: 2_000 })
      .toEqual(["firing", "resolved"]);
  }
  expect(new Set((await trouble.told()).map(({ name }) => name))).toEqual(
    new Set(["NoWorker", "ArchiveFails"]),
  );
});
