import { expect, test } from "vitest";
import { eventsOf } from "../../local/logs";
import { readStatus, type Status } from "../../local/status";

// The logs of the local stack, which is up.

const status = readStatus() as Status;

async function request(): Promise<{ requestId: string; taskId: string }> {
  const answer = await fetch(`${status.endpoint}/api/generate`, {
    method: "POST",
    headers: { authorization: `Bearer ${status.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a log", width: 256, height: 256, steps: 1 }),
  });
  expect(answer.status).toBe(200);
  const header = (name: string) => answer.headers.get(name) as string;
  return { requestId: header("x-request-id"), taskId: header("x-task-id") };
}

test("a request's whole path is found, by its id and its task's, from the edge to the worker", async () => {
  const { requestId, taskId } = await request();
  for (const id of [requestId, taskId]) {
    const path = async () =>
      (await eventsOf(status.logs, id)).map((event) => event["kubernetes.pod_labels.app"]);
    await expect
      .poll(path, { timeout: 60_000, interval: 1_000 })
      .toEqual(["nginx", "api", "aigc-worker", "aigc-worker"]);
  }
});

test("the log store and its collector take 150 MB at most", async () => {
  const metric = "process_resident_memory_bytes";
  const query = encodeURIComponent(`sum(${metric}{job=~"logs|log-collector"})`);
  const answer = await fetch(`${status.prometheus}/api/v1/query?query=${query}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  expect(Number(data.result[0]?.value[1])).toBeLessThan(150e6);
});
