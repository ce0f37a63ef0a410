import { afterAll, beforeAll, expect, test } from "vitest";
import { addresses } from "../../local/cluster/addresses";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { type LocalStack, secrets } from "../../local/stack";
import { localCluster, openStack } from "./cluster";
import { textChunks } from "./png";

// The database's volume is deleted under load, and docs/backups.md followed.

const namespace = "image-service-disaster";
const nodePort = 30082;
const endpoint = `http://${addresses.node}:${nodePort}`;
const minute = 60_000;

let stack: LocalStack;
let kubectl: string;

const inNamespace = (...args: string[]) =>
  run(kubectl, [`--kubeconfig=${kubeconfig}`, "--namespace", namespace, ...args]);

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${endpoint}${path}`, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${secrets().apiSecret}` },
    signal: AbortSignal.timeout(10_000),
  });

interface Accepted {
  id: string;
  at: number;
  prompt: string;
  seed: number;
}

const accepted: Accepted[] = [];

/** @returns whether a task was accepted */
async function submit(): Promise<boolean> {
  const seed = accepted.length;
  const prompt = `picture number ${seed}`;
  const answer = await call("/api/generate", {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "respond-async" },
    body: JSON.stringify({ prompt, seed, width: 256, height: 256, steps: 1 }),
  }).catch(() => undefined);
  if (answer?.status !== 202) return false;
  const { id } = (await answer.json()) as { id: string };
  accepted.push({ id, at: Date.now(), prompt, seed });
  return true;
}

/** A task's status, or that nobody knows it. */
async function statusOf({ id }: Accepted): Promise<string> {
  const answer = await call(`/api/tasks/${id}`);
  if (answer.status === 404) return "lost";
  return ((await answer.json()) as { status: string }).status;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

beforeAll(async () => {
  kubectl = (await localCluster()).toolchain.kubectl;
  stack = await openStack("disaster", {
    namespace,
    nginx: { serviceType: "NodePort", nodePort },
    endpoint,
  });
  await stack.up(() => {});
  await inNamespace("wait", "--for=condition=complete", "--timeout=300s", "job", "--all");
});

afterAll(async () => {
  await stack?.destroy(() => {});
  stack?.close();
});

let disaster: number;
let back: number;

test("a database whose volume was deleted under load is back within five minutes, by itself", async () => {
  for (let seconds = 0; seconds < 75; seconds++) {
    await submit();
    await pause(1_000);
  }
  await inNamespace("delete", "pvc", "data-postgres-0", "--wait=false");
  disaster = Date.now();
  await inNamespace("delete", "pod", "postgres-0", "--grace-period=0", "--force");
  await stack.up(() => {}, "--refresh");
  await expect.poll(submit, { timeout: 5 * minute, interval: 1_000 }).toBe(true);
  back = accepted.at(-1)?.at as number;
  expect(back - disaster).toBeLessThan(5 * minute);
});

test("of what was accepted before it, at most the last minute is lost", async () => {
  const before = accepted.filter(({ at }) => at < disaster);
  const statuses = await Promise.all(before.map(statusOf));
  const lost = before.filter((_, index) => statuses[index] === "lost");
  const oldest = Math.min(disaster, ...lost.map(({ at }) => at));
  const seconds = (milliseconds: number) => (milliseconds / 1_000).toFixed(1);
  console.log(
    `back after ${seconds(back - disaster)} s; lost ${lost.length} of ${before.length} tasks, of the last ${seconds(disaster - oldest)} s`,
  );
  expect(oldest).toBeGreaterThan(disaster - minute);
});

test("what is left is drawn to its end, and each picture is its own task's", async () => {
  const known = async () =>
    (
      await Promise.all(accepted.map(async (task) => ({ task, status: await statusOf(task) })))
    ).filter(({ status }) => status !== "lost");
  const open = async () => (await known()).filter(({ status }) => status !== "succeeded").length;
  await expect.poll(open, { timeout: 5 * minute, interval: 2_000 }).toBe(0);
  for (const { task } of await known()) {
    const image = await call(`/api/tasks/${task.id}/images/0`);
    expect(textChunks(new Uint8Array(await image.arrayBuffer()))).toMatchObject({
      prompt: task.prompt,
      seed: String(task.seed),
    });
  }
});
