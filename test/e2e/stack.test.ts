import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addresses } from "../../local/cluster/addresses";
import { kubeconfig } from "../../local/paths";
import { attempt, run } from "../../local/run";
import { hostUrl } from "../../local/services";
import { type LocalStack, secrets } from "../../local/stack";
import { localCluster, openStack } from "./cluster";
import { pixel, textChunks } from "./png";

// A stack of its own beside the user's: other namespace, other node port, same cluster.
const namespace = "image-service-e2e";
const nodePort = 30081;
const clients = 4;
const generations = 20;

const values = {
  namespace,
  nginx: { replicas: 2, serviceType: "NodePort", nodePort },
  endpoint: `http://${addresses.node}:${nodePort}`,
};

let stack: LocalStack;
let kubectl: string;
let endpoint: string;
let prometheus: string;

const inNamespace = (...args: string[]) =>
  run(kubectl, [`--kubeconfig=${kubeconfig}`, "--namespace", namespace, ...args]);

const generate = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${endpoint}/api/generate`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secrets().apiSecret}`,
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify({ width: 256, height: 256, steps: 4, ...body }),
  });

const sql = async (statement: string) => {
  const psql = `psql --username aigc --dbname aigc --tuples-only --no-align --command "${statement}"`;
  return (await inNamespace("exec", "postgres-0", "--", "sh", "-c", psql)).trim();
};

const succeeded = async () =>
  Number(await sql("select count(*) from tasks where status = 'succeeded'"));

/** Runs a line of Python in an api pod, on the store and the paths of all pictures there. */
async function pictures(line: string): Promise<number> {
  const program = [
    "import os, obstore",
    "store = obstore.store.S3Store(os.environ['S3_BUCKET'],",
    "    endpoint=os.environ['S3_ENDPOINT_URL'], client_options={'allow_http': True})",
    "paths = [entry['path'] for page in store.list('outputs') for entry in page]",
    line,
  ].join("\n");
  return Number(await inNamespace("exec", "deployment/api", "--", "python", "-c", program));
}

/** Waits until a PromQL query gives at least this value. */
const reaches = (query: string, least: number) =>
  expect
    .poll(
      async () => {
        const url = `${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`;
        const answer = (await (await fetch(url)).json()) as {
          data: { result: { value: [number, string] }[] };
        };
        return Number(answer.data.result[0]?.value[1] ?? 0);
      },
      { timeout: 60_000, interval: 2_000 },
    )
    .toBeGreaterThanOrEqual(least);

/** Makes a Job from a CronJob, as docs/backups.md does. @returns its log */
async function runJob(cronJob: string): Promise<string> {
  await inNamespace("create", "job", `${cronJob}-now`, `--from=cronjob/${cronJob}`);
  const job = `job/${cronJob}-now`;
  await inNamespace("wait", "--for=condition=complete", "--timeout=180s", job);
  return inNamespace("logs", job);
}

/** GET on a new connection. @throws unless the answer is 200 */
async function get(url: string): Promise<void> {
  const [response] = (await once(request(url, { agent: false }).end(), "response")) as [
    IncomingMessage,
  ];
  response.resume();
  if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode}`);
  await once(response, "end");
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

beforeAll(async () => {
  const { toolchain } = await localCluster();
  kubectl = toolchain.kubectl;
  stack = await openStack("e2e", values);
  await stack.up(() => {});
  const outputs = (await stack.outputs()) as Record<string, string>;
  endpoint = outputs.endpoint as string;
  prometheus = await hostUrl(toolchain, outputs.prometheus as string);
});

afterAll(() => stack?.close());

describe("the stack on a real cluster", () => {
  test("a request without the token, or with a wrong one, gets 401", async () => {
    expect((await generate({ prompt: "x" }, { authorization: "" })).status).toBe(401);
    expect((await generate({ prompt: "x" }, { authorization: "Bearer wrong" })).status).toBe(401);
  });

  test(`${generations} generations from ${clients} clients each get the picture of their own prompt and seed`, async () => {
    const digests = new Map<number, string>();
    const client = async (first: number) => {
      for (let seed = first; seed < generations; seed += clients) {
        const prompt = `picture number ${seed}`;
        const response = await generate({ prompt, seed }, { accept: "image/png" });
        expect(response.status).toBe(200);
        const png = new Uint8Array(await response.arrayBuffer());
        expect(textChunks(png)).toMatchObject({ prompt, seed: String(seed) });
        digests.set(seed, sha256(png));
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, first) => client(first)));
    expect(new Set(digests.values()).size).toBe(generations);

    const again = await generate({ prompt: "picture number 7", seed: 7 }, { accept: "image/png" });
    expect(sha256(new Uint8Array(await again.arrayBuffer()))).toBe(digests.get(7));
  });

  test("an answered task can be read again, and its picture, which shows the prompt", async () => {
    const prompt = "a red circle on a blue ground";
    const answer = (await (await generate({ prompt, seed: 1 })).json()) as { id: string };
    const headers = { authorization: `Bearer ${secrets().apiSecret}` };
    const task = await fetch(`${endpoint}/api/tasks/${answer.id}`, { headers });
    expect(await task.json()).toMatchObject({ id: answer.id, status: "succeeded" });
    const image = await fetch(`${endpoint}/api/tasks/${answer.id}/images/0`, { headers });
    expect(image.status).toBe(200);
    const png = new Uint8Array(await image.arrayBuffer());
    expect(textChunks(png)).toMatchObject({ prompt });
    const [red = 0, , blueOfRed = 0] = pixel(png, 128, 128);
    const [redOfBlue = 0, , blue = 0] = pixel(png, 10, 10);
    expect(red - blueOfRed, "the circle is red").toBeGreaterThan(100);
    expect(blue - redOfBlue, "the ground is blue").toBeGreaterThan(100);
  });

  test("every answered task has a row in PostgreSQL and an object in S3", async () => {
    expect(await succeeded()).toBe(generations + 2);
    expect(await pictures("print(len(paths))")).toBe(generations + 2);
  });

  test("Prometheus has scraped the chapter's metrics", async () => {
    await reaches('sum(aigc_requests_total{endpoint="generate",status="success"})', generations);
    await reaches("sum(aigc_generation_seconds_count)", generations);
    await reaches("count(aigc_queue_size)", 1);
    await reaches("count(aigc_gpu_memory_used_bytes)", 1);
    await reaches("min(up)", 1);
  });

  test("a backup is restored into a service that lost its records and its pictures", async () => {
    await runJob("backup");
    await reaches("max(aigc_backup_last_success_timestamp_seconds)", Date.now() / 1_000 - 300);
    const lost = await sql("select id from tasks order by created_at limit 1");
    await sql("delete from tasks");
    await pictures("store.delete(paths); print(len(paths))");
    expect(await pictures("print(len(paths))")).toBe(0);

    expect(await runJob("restore")).toContain("restored ");

    expect(await succeeded()).toBe(generations + 2);
    expect(await pictures("print(len(paths))")).toBe(generations + 2);
    const headers = { authorization: `Bearer ${secrets().apiSecret}` };
    const image = await fetch(`${endpoint}/api/tasks/${lost}/images/0`, { headers });
    expect(image.status).toBe(200);
  });

  test("the workers are the chapter's: one GPU each, WORKER_ID from the pod's name", async () => {
    const deployment = JSON.parse(
      await inNamespace("get", "deployment", "aigc-workers", "-o", "json"),
    );
    expect(deployment.spec.template.metadata.labels.app).toBe("aigc-worker");
    const [container] = deployment.spec.template.spec.containers;
    expect(container.resources.limits["nvidia.com/gpu"]).toBe("1");
    expect(container.env).toContainEqual({
      name: "WORKER_ID",
      valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } },
    });
  });

  test("kubectl exec, logs and port-forward work", async () => {
    expect(await inNamespace("exec", "redis-0", "--", "redis-server", "--version")).toContain(
      "v=8",
    );
    expect(await inNamespace("logs", "deployment/aigc-workers")).not.toBe("");
    const forward = spawn(kubectl, [
      ...[`--kubeconfig=${kubeconfig}`, "--namespace", namespace],
      ...["port-forward", "service/nginx", ":80"],
    ]);
    try {
      for await (const line of createInterface({ input: forward.stdout })) {
        const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (!port) continue;
        expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
        break;
      }
    } finally {
      forward.kill();
    }
  });

  test("a change of nginx's rules alone rolls nginx without a failed request", async () => {
    const least = 2_000;
    const failures: unknown[] = [];
    let sent = 0;
    let rolled = false;
    // A connection each, as clients that come and go: each has to find an nginx that listens.
    const client = async () => {
      while (!rolled || sent < least) {
        sent++;
        await get(`${endpoint}/healthz`).catch((error) => failures.push(error));
      }
    };
    const clients = Array.from({ length: 4 }, client);
    const generation = "jsonpath={.status.observedGeneration}";
    const before = await inNamespace("get", "deployment", "nginx", "-o", generation);
    const changed = await openStack("e2e", {
      ...values,
      nginx: { ...values.nginx, maxBody: "600k" },
    });
    try {
      await changed.up(() => {});
    } finally {
      changed.close();
      rolled = true;
      await Promise.all(clients);
    }
    expect(await inNamespace("get", "deployment", "nginx", "-o", generation)).not.toBe(before);
    expect(failures).toEqual([]);
    await stack.up(() => {});
  });

  test("the database's volume grows where it is, without a restart", async () => {
    const claim = (path: string) =>
      inNamespace("get", "pvc", "data-postgres-0", `--output=jsonpath={${path}}`);
    const pod = () => inNamespace("get", "pod", "postgres-0", "--output=jsonpath={.metadata.uid}");
    const [volume, before] = [await claim(".spec.volumeName"), await pod()];
    const upWith = async (given: typeof values & { postgres?: object }) => {
      const opened = await openStack("e2e", given);
      await opened.up(() => {}).finally(() => opened.close());
    };
    const grown = { ...values, postgres: { storage: "2Gi" } };
    await upWith(grown);
    expect(await claim(".spec.resources.requests.storage")).toBe("2Gi");
    expect([await claim(".spec.volumeName"), await pod()]).toEqual([volume, before]);
    expect(await succeeded()).toBe(generations + 2);

    const shrunk = { ...values, postgres: { storage: "512Mi" } };
    await expect(upWith(shrunk)).rejects.toThrow("field can not be less than");
    await upWith(grown);
  });

  test("pulumi up without a change changes nothing, ten times in a row", async () => {
    for (let times = 0; times < 10; times++) expect(await stack.up(() => {})).toBe(true);
  });

  test("pulumi destroy leaves no namespace", async () => {
    await stack.destroy(() => {});
    const found = await attempt(kubectl, [
      `--kubeconfig=${kubeconfig}`,
      "get",
      "namespace",
      namespace,
    ]);
    expect(found.output).toContain("not found");
  });
});
