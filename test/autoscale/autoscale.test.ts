import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { autoscaled } from "../../local/autoscaling";
import { fakeGpus } from "../../local/cluster";
import { addresses, nodeName } from "../../local/cluster/addresses";
import { ensureKeda } from "../../local/cluster/keda";
import { ensureImage, loadImage } from "../../local/images";
import { kedaRecipe } from "../../local/images/recipes";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { type LocalStack, secrets } from "../../local/stack";
import { ensureToolchain } from "../../local/toolchain";
import type { Props } from "../../policy/resource";
import { localCluster, openStack } from "../e2e/cluster";

// A stack of its own, scaled by the real KEDA and the real autoscaler of Kubernetes, from none to
// several workers and back. The second test's tasks are long, so that they outlast a scale-in. Not in
// `npm test`: KEDA takes eleven minutes of a processor to build.

const namespace = "image-service-autoscale";
const app = "app=aigc-worker";
const nodePort = 30084;
const endpoint = `http://${addresses.node}:${nodePort}`;
const most = 4;
const targetSeconds = 150;
const picture = { width: 512, height: 512, steps: 100 };

let stack: LocalStack;
let kubectl: string;
/** Seconds for one picture, as the first task took. */
let pictureSeconds: number;

const inNamespace = (...args: string[]) =>
  run(kubectl, [`--kubeconfig=${kubeconfig}`, "--namespace", namespace, ...args]);

const headers = { authorization: `Bearer ${secrets().apiSecret}` };

interface Task {
  id: string;
  status: string;
  worker_starting: boolean;
  started_at: string;
  finished_at: string;
}

async function submit(body: object): Promise<Task> {
  const response = await fetch(`${endpoint}/api/generate`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", prefer: "respond-async" },
    body: JSON.stringify({ prompt: "a lighthouse", ...picture, ...body }),
  });
  expect(response.status, await response.clone().text()).toBe(202);
  return (await response.json()) as Task;
}

const taskOf = async (id: string): Promise<Task> =>
  (await (await fetch(`${endpoint}/api/tasks/${id}`, { headers })).json()) as Task;

/** On cores that four workers draw on, an answer may take a second try. */
const cancel = (id: string) =>
  expect
    .poll(
      async () => (await fetch(`${endpoint}/api/tasks/${id}`, { method: "DELETE", headers })).ok,
      { timeout: 60_000, interval: 500 },
    )
    .toBe(true);

const untilStatus = (id: string, status: string) =>
  expect
    .poll(async () => (await taskOf(id)).status, { timeout: 300_000, interval: 500 })
    .toBe(status);

async function sql(statement: string): Promise<string[]> {
  const psql = `psql --username aigc --dbname aigc --tuples-only --no-align --command "${statement}"`;
  const rows = await inNamespace("exec", "postgres-0", "--", "sh", "-c", psql);
  return rows.trim().split("\n").filter(Boolean);
}

/** Which worker has each task that is being drawn. */
async function drawing(): Promise<Map<string, string>> {
  const rows = await sql("select id, worker_id from tasks where status = 'running'");
  return new Map(rows.map((row) => row.split("|") as [string, string]));
}

async function workers(): Promise<Props[]> {
  const listed = await inNamespace("get", "pods", "-l", app, "-o", "json");
  return JSON.parse(listed).items as Props[];
}

/** When it became ready. */
const readySince = ({ status }: Props): number =>
  Date.parse(
    (status.conditions as Props[]).find(({ type }) => type === "Ready")?.lastTransitionTime,
  );

/** Who draws. A worker has two tasks for as long as it stores the first one's pictures. */
const busyWorkers = async () => [...new Set((await drawing()).values())].sort();

const names = (pods: Props[]) => pods.map(({ metadata }) => metadata.name as string).sort();

const claimGpus = (count: number) =>
  run(kubectl, [
    ...[`--kubeconfig=${kubeconfig}`, "patch", "node", nodeName, "--subresource=status"],
    ...[
      "--type=merge",
      "-p",
      JSON.stringify({ status: { capacity: { "nvidia.com/gpu": `${count}` } } }),
    ],
  ]);

const secondsSince = (start: number) => (Date.now() - start) / 1_000;
const say = (figure: string, seconds: number) => console.log(`${figure}: ${seconds.toFixed(1)} s`);

beforeAll(async () => {
  const { toolchain } = await localCluster();
  kubectl = toolchain.kubectl;
  const programs = { ...toolchain, ...(await ensureToolchain(() => {}, ["keda"])) };
  await ensureImage(kedaRecipe, programs, () => {});
  await ensureKeda(programs, await loadImage(kedaRecipe, programs, () => {}), () => {});
  // The user's own workers have theirs.
  await claimGpus(fakeGpus + most);
  const { workers } = autoscaled(most) as { workers: Props };
  workers.autoscaling.targetSeconds = targetSeconds;
  workers.autoscaling.cooldownSeconds = 15;
  // The node's cores are shared with the user's own stack: with 100m each the last one fits nowhere.
  workers.resources.requests.cpu = "10m";
  stack = await openStack("autoscale", {
    namespace,
    nginx: { replicas: 1, serviceType: "NodePort", nodePort },
    endpoint,
    workers,
  });
  await stack.up(() => {});
});

afterAll(async () => {
  await stack?.destroy(() => {});
  stack?.close();
  if (kubectl) await claimGpus(fakeGpus);
});

test("the first task from none wakes a worker, which draws it", async () => {
  expect(await workers()).toEqual([]);
  const start = Date.now();
  const { id, worker_starting } = await submit({ prompt: "a lighthouse at dawn" });
  expect(worker_starting).toBe(true);
  await expect.poll(workers, { timeout: 120_000, interval: 200 }).not.toEqual([]);
  say("a first worker's pod after", secondsSince(start));
  await untilStatus(id, "succeeded");
  const task = await taskOf(id);
  const [pod] = (await workers()) as [Props];
  const [container] = pod.status.containerStatuses;
  const began = Date.parse(task.started_at);
  say(
    "taken after its container's start",
    (began - Date.parse(container.state.running.startedAt)) / 1_000,
  );
  pictureSeconds = (Date.parse(task.finished_at) - began) / 1_000;
  say("drawn in", pictureSeconds);
  say("from none to the picture", secondsSince(start));
});

test("work for several brings several, and a scale-in takes none that draws while others stand by", async () => {
  // Two of them are work for two workers, and outlast the time that it takes to see that.
  const num_images = Math.min(10, Math.max(1, Math.floor((0.9 * targetSeconds) / pictureSeconds)));
  const start = Date.now();
  const tasks = await Promise.all(Array.from({ length: 2 * most }, () => submit({ num_images })));
  await expect
    .poll(async () => (await busyWorkers()).length, { timeout: 300_000, interval: 500 })
    .toBe(most);
  say(`${most} draw after`, secondsSince(start));

  await inNamespace("wait", "--for=condition=Ready", "--timeout=60s", "pod", "-l", app);
  // The youngest, which Kubernetes would take first by itself.
  const youngest = names(
    (await workers()).sort((a, b) => readySince(b) - readySince(a)).slice(0, 2),
  );
  const kept = [...(await drawing())].filter(([, worker]) => youngest.includes(worker));
  const others = tasks.map(({ id }) => id).filter((id) => !kept.some(([task]) => task === id));
  await Promise.all(others.map(cancel));
  const cancelled = Date.now();
  const busy = [...new Set(kept.map(([, worker]) => worker))].sort();
  const staying = async () =>
    names((await workers()).filter(({ metadata }) => !metadata.deletionTimestamp));
  let left = await staying();
  while (left.length > busy.length) {
    expect(left).toEqual(expect.arrayContaining(busy));
    expect(await busyWorkers()).toEqual(busy);
    await sleep(1_000);
    left = await staying();
  }
  say("the idle ones left after", secondsSince(cancelled));
  expect(left).toEqual(busy);
  for (const [task] of kept) await untilStatus(task, "succeeded");
  expect(await sql("select id from tasks where status = 'succeeded' and attempt > 1")).toEqual([]);
});

test("when there is nothing to draw there is no worker", async () => {
  const start = Date.now();
  await expect.poll(workers, { timeout: 300_000, interval: 1_000 }).toEqual([]);
  say("none after", secondsSince(start));
});
