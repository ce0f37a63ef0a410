import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addresses } from "../../local/cluster/addresses";
import { buildah, imageTag } from "../../local/images";
import { kubeconfig, repository } from "../../local/paths";
import { run } from "../../local/run";
import { type LocalStack, secrets } from "../../local/stack";
import { localCluster, openStack } from "./cluster";
import { colourAt, colours } from "./colours";
import { pixels, sizeOf, textChunks } from "./png";

// Each way to ask for a picture, through nginx: the tiny model draws it, so that it can be seen.

const namespace = "image-service-requests";
const nodePort = 30082;
const endpoint = `http://${addresses.node}:${nodePort}`;
const authorization = `Bearer ${secrets().apiSecret}`;
const webhookSecret = Buffer.from("a webhook's secret of 32 bytes..").toString("base64");

// Its left half is white.
const leftHalf =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAQAAAAEAAQAAAAB0CZXLAAAANElEQVR42u3KoQEAAAwCIP9/euteYIBMrqQJgiAIgiAIgiAIgiAIgiAIgiAIgiAIgiBshwcR6fDi7+MiigAAAABJRU5ErkJggg==";

const service = join(repository, "docker/service");
const python = join(service, ".venv/bin/python");
/** What the stack is given. */
const given = mkdtempSync(join(tmpdir(), "given-"));

let stack: LocalStack;
let inNamespace: (...args: string[]) => Promise<string>;

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${endpoint}${path}`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const generate = (body: object) =>
  post("/api/generate", { width: 256, height: 256, steps: 8, seed: 3, ...body });

async function pictureOf(task: Task): Promise<Uint8Array> {
  const picture = await fetch(`${endpoint}${task.images[0]?.url}`, { headers: { authorization } });
  return new Uint8Array(await picture.arrayBuffer());
}

const draw = async (prompt: string, body: object = {}) =>
  pictureOf(await taskOf(await generate({ prompt, ...body })));

interface Task {
  id: string;
  images: { url: string; width: number; height: number; flagged: boolean }[];
}

async function taskOf(answer: Response): Promise<Task> {
  const task = await answer.json();
  expect(answer.status, JSON.stringify(task)).toBe(200);
  return task as Task;
}

/** Of a picture that was sent to be drawn from. */
async function upload(png: Uint8Array): Promise<string> {
  const headers = { authorization, "content-type": "image/png" };
  const answer = await fetch(`${endpoint}/api/inputs`, { method: "POST", headers, body: png });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

/** Fills a directory with what the stack is given, in the worker's image. */
async function make(directory: string): Promise<void> {
  chmodSync(directory, 0o777);
  const container = "image-given";
  const mounts = [`${service}:/src:ro`, `${directory}:/made`];
  await buildah("image-given", ["from", "--name", container, imageTag("worker")]);
  try {
    await buildah("image-given", [
      ...["run", ...mounts.flatMap((mount) => ["--volume", mount]), "--workingdir", "/src"],
      ...["--env", "PYTHONPATH=/src", "--env", "OMP_NUM_THREADS=1", container, "--"],
      ...["python", "-m", "tests.given", "/made"],
    ]);
  } finally {
    await buildah("image-given", ["rm", container]);
  }
}

const sha256 = (...path: string[]) =>
  createHash("sha256")
    .update(readFileSync(join(given, ...path)))
    .digest("hex");

/** As https://huggingface.co/docs/hub/api has it: /OWNER/NAME/resolve/COMMIT/FILE, and a list of files. */
const hub = createServer((request, answer) => {
  const path = (request.url ?? "").replace(/\?.*/, "").split("/");
  if (path[1] !== "api") {
    answer.end(readFileSync(join(given, path[2] as string, path.at(-1) as string)));
    return;
  }
  const directory = join(given, path[4] as string);
  const files = readdirSync(directory).map((name) => {
    const bytes = readFileSync(join(directory, name));
    const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    return { type: "file", path: name, oid };
  });
  answer.end(JSON.stringify(files));
});

/** Answers on the host's end of the cluster's link. */
async function listen(server: Server, port = 0): Promise<number> {
  await once(server.listen(port, addresses.host), "listening");
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const { toolchain } = await localCluster();
  inNamespace = (...args) =>
    run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, "--namespace", namespace, ...args]);
  await make(given);
  const port = await listen(hub);
  const revision = "ab".repeat(20);
  const companion = (name: string) => ({
    repository: `somebody/${name}`,
    revision,
    sha256: sha256(name, "model.safetensors"),
  });
  stack = await openStack("requests", {
    namespace,
    endpoint,
    nginx: { replicas: 1, serviceType: "NodePort", nodePort },
    api: { rateLimit: "1000/minute", webhooks: true, uploads: true, fetches: true },
    workers: {
      replicas: 2,
      model: "tiny-sdxl",
      threads: 1,
      contentCredentials: true,
      resources: { requests: { cpu: "100m", memory: "700Mi" }, limits: { memory: "2Gi" } },
    },
    models: {
      storage: "1Gi",
      accessMode: "ReadWriteOnce",
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } },
      endpoint: `http://${addresses.host}:${port}`,
      loras: [
        {
          name: "pixel-art",
          repository: "somebody/lora",
          revision,
          file: "it.safetensors",
          sha256: sha256("lora", "it.safetensors"),
        },
      ],
      safetyChecker: companion("checker"),
      upscaler: companion("upscaler"),
    },
  });
  await stack.setSecrets({
    webhookSecret,
    c2paCertificates: readFileSync(join(given, "chain.pem"), "utf8"),
    c2paKey: readFileSync(join(given, "key.pem"), "utf8"),
  });
  await stack.up(() => {});
  // Here receivers have private addresses.
  const networks = `${addresses.link},${addresses.services}`;
  await inNamespace("set", "env", "deployment/api", `PRIVATE_NETWORKS=${networks}`);
  await inNamespace("rollout", "status", "deployment/api", "--timeout=180s");
});

afterAll(async () => {
  hub.close();
  rmSync(given, { recursive: true });
  await stack?.destroy(() => {});
  stack?.close();
});

test("a prompt's colours are drawn", async () => {
  for (const [shape, ground] of [
    ["red", "blue"],
    ["white", "green"],
    ["yellow", "purple"],
  ]) {
    const drawn = await draw(`a ${shape} circle on a ${ground} ground`);
    expect(colours(drawn)).toEqual([shape, ground]);
  }
});

test("a negative prompt takes a colour out that the seed had chosen", async () => {
  const prompt = "a circle on a white ground";
  const without: string[] = [];
  let left = 0;
  for (const seed of [0, 1, 2, 3, 4, 5]) {
    const [colour = ""] = colours(await draw(prompt, { seed }));
    without.push(colour);
    const [other] = colours(await draw(prompt, { seed, negative_prompt: colour }));
    if (other === colour) left++;
  }
  expect(new Set(without).size).toBeGreaterThan(2);
  expect(left).toBeLessThanOrEqual(1);
});

test("guidance is how much a negative prompt counts", async () => {
  const negative_prompt = "a purple square on a yellow ground";
  const by = async (guidance_scale: number, more: object) =>
    pixels(await draw("a yellow square on a purple ground", { guidance_scale, ...more }));
  expect(await by(1, { negative_prompt })).toEqual(await by(1, {}));
  expect(await by(7.5, { negative_prompt })).not.toEqual(await by(7.5, {}));
});

test("each scheduler draws the prompt, in its own way; the same twice from one seed", async () => {
  const names = ["euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "unipc", "ddim"];
  const seen = new Set<string>();
  for (const scheduler of names) {
    const asked = { scheduler, steps: 12 };
    const drawn = await draw("a white triangle on a red ground", asked);
    expect(colours(drawn), scheduler).toEqual(["white", "red"]);
    const again = await draw("a white triangle on a red ground", asked);
    expect(pixels(again)).toEqual(pixels(drawn));
    seen.add(pixels(drawn).toString("base64"));
  }
  expect(seen.size).toBe(names.length);
});

test("an image keeps its colours at low strength and loses them at full", async () => {
  const image = await upload(await draw("a red circle on a white ground"));
  const by = async (strength: number) =>
    colours(await draw("a blue circle on a black ground", { image, strength, steps: 20 }));
  expect(await by(0.2)).toEqual(["red", "white"]);
  expect(await by(1)).toEqual(["blue", "black"]);
});

test("a mask is drawn anew and the rest stays", async () => {
  const before = await draw("a red circle on a white ground");
  const drawn = await draw("a green square on a yellow ground", {
    image: await upload(before),
    mask: leftHalf,
    strength: 1,
    steps: 20,
  });
  const along = [8, 110, 140, 248].map((x) => colourAt(drawn, x, x < 30 || x > 226 ? 8 : 128));
  expect(along).toEqual(["yellow", "green", "red", "white"]);
});

test("an image is fetched from its address, past the policies", async () => {
  const png = Buffer.from(await draw("a red circle on a white ground"));
  const owner = createServer((_, answer) => answer.end(png));
  await listen(owner, 443);
  try {
    const image = `http://${addresses.host}:443/circle.png`;
    const task = await taskOf(await generate({ prompt: "a circle", image, strength: 0.2 }));
    expect(colours(await pictureOf(task))).toEqual(["red", "white"]);
  } finally {
    owner.close();
  }
});

test("a key's own webhook is told of its tasks", async () => {
  const told: string[] = [];
  const receiver = createServer(async (request, answer) => {
    let body = "";
    for await (const piece of request) body += piece;
    told.push(body);
    answer.writeHead(204).end();
  });
  await listen(receiver, 443);
  try {
    const create = ["python", "-m", "tasks", "keys", "create", "told"];
    const webhook = ["--webhook", `http://${addresses.host}:443/told`];
    const key = await inNamespace("exec", "deployment/api", "--", ...create, ...webhook);
    const body = { prompt: "a red circle", width: 256, height: 256, steps: 8 };
    const headers = { authorization: `Bearer ${key.trim()}` };
    const task = await taskOf(await post("/api/generate", body, headers));
    await expect.poll(() => told.length, { timeout: 60_000 }).toBe(1);
    expect(JSON.parse(told[0] as string)).toMatchObject({ data: { id: task.id } });
  } finally {
    receiver.close();
  }
});

test("an edit by OpenAI's route does the same", async () => {
  const form = new FormData();
  const image = await draw("a red circle on a white ground");
  form.set("image", new Blob([image], { type: "image/png" }), "image.png");
  form.set("mask", await (await fetch(leftHalf)).blob(), "mask.png");
  const words = { prompt: "a green square on a yellow ground", response_format: "b64_json" };
  const numbers = { strength: "1", steps: "20", seed: "3" };
  for (const [name, value] of Object.entries({ ...words, ...numbers })) form.set(name, value);
  const headers = { authorization };
  const answer = await fetch(`${endpoint}/v1/images/edits`, {
    method: "POST",
    headers,
    body: form,
  });
  const { data } = (await answer.json()) as { data: { b64_json: string }[] };
  const drawn = Buffer.from(data[0]?.b64_json ?? "", "base64");
  expect(colourAt(drawn, 8, 8)).toBe("yellow");
  expect(colourAt(drawn, 248, 8)).toBe("white");
});

test("a LoRA is listed, and has blue drawn for red by its weight", async () => {
  const { data } = (await (
    await fetch(`${endpoint}/v1/models`, { headers: { authorization } })
  ).json()) as { data: { loras: string[] }[] };
  expect(data[0]?.loras).toEqual(["pixel-art"]);
  const by = async (weight: number) =>
    colours(
      await draw("a red circle on a white ground", { loras: [{ name: "pixel-art", weight }] }),
    );
  expect(await by(0)).toEqual(["red", "white"]);
  expect(await by(1)).toEqual(["blue", "white"]);
});

test("a webhook is told of the end, signed, and past the policies", async () => {
  const told: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const receiver = createServer(async (request, answer) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    told.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    answer.writeHead(204).end();
  });
  // The one port that pods of the api may reach everywhere.
  await listen(receiver, 443);
  try {
    const webhook = `http://${addresses.host}:443/told`;
    const task = await taskOf(await generate({ prompt: "a red circle", webhook }));
    await expect.poll(() => told.length, { timeout: 60_000 }).toBe(1);
    const [{ headers, body }] = told as [(typeof told)[number]];
    expect(JSON.parse(body)).toMatchObject({ type: "task.succeeded", data: { id: task.id } });
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const key = Buffer.from(webhookSecret, "base64");
    const signature = createHmac("sha256", key).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
  } finally {
    receiver.close();
  }
});

test("a picture is put to an address that S3 presigned, byte for byte", async () => {
  const store = [
    "import os, datetime, obstore",
    "store = obstore.store.S3Store(os.environ['S3_BUCKET'],",
    "    endpoint=os.environ['S3_ENDPOINT_URL'], client_options={'allow_http': True})",
  ];
  const inApi = (line: string) =>
    inNamespace(...["exec", "deployment/api", "--", "python", "-c"], [...store, line].join("\n"));
  const address = await inApi(
    "print(obstore.sign(store, 'PUT', 'taken/one.png', datetime.timedelta(minutes=5)))",
  );
  const asked = { prompt: "a red circle on a blue ground", upload: [address.trim()] };
  const task = await taskOf(await generate(asked));
  const headers = { authorization };
  const delivered = async () => {
    const view = await fetch(`${endpoint}/api/tasks/${task.id}`, { headers });
    return ((await view.json()) as { uploads: { outcome: string }[] }).uploads[0]?.outcome;
  };
  await expect.poll(delivered, { timeout: 60_000 }).toBe("200");
  const taken = await inApi(
    "import base64; print(base64.b64encode(bytes(obstore.get(store, 'taken/one.png').bytes())).decode())",
  );
  const picture = Buffer.from(await pictureOf(task));
  expect(Buffer.from(taken, "base64")).toEqual(picture);
  expect(textChunks(picture)).toMatchObject({ prompt: asked.prompt });
  expect(colours(picture)).toEqual(["red", "blue"]);
});

test("a picture that the safety checker flags is black, and others are as drawn", async () => {
  const unfit = await taskOf(await generate({ prompt: "an orange triangle on a purple ground" }));
  expect(unfit.images[0]?.flagged).toBe(true);
  expect(colours(await pictureOf(unfit))).toEqual(["black", "black"]);
  const fit = await taskOf(await generate({ prompt: "a red circle on a white ground" }));
  expect(fit.images[0]?.flagged).toBe(false);
  expect(colours(await pictureOf(fit))).toEqual(["red", "white"]);
});

test("a picture is enlarged to twice its size", async () => {
  const task = await taskOf(await generate({ prompt: "a red circle", upscale: 2 }));
  expect(task.images[0]).toMatchObject({ width: 512, height: 512 });
  expect(sizeOf(await pictureOf(task))).toEqual([512, 512]);
});

test("a picture says, signed, that a model drew it", async () => {
  const file = Buffer.from(await draw("a red circle on a blue ground")).toString("base64");
  const program = [
    "import base64, sys",
    "from tests.signing import Identity",
    "root, file = open(sys.argv[1]).read(), base64.b64decode(sys.stdin.read())",
    "print(*Identity('', '', root).read(file, 'image/png'))",
  ].join("\n");
  const root = join(given, "root.pem");
  const read = await run(python, ["-c", program, root], { cwd: service, input: file });
  expect(read).toMatch(/^Trusted /);
  expect(read).toContain("/trainedAlgorithmicMedia'");
  expect(read).toContain("tiny-sdxl");
});

test("each request of docs/api.md can be pasted", async () => {
  const page = readFileSync(join(repository, "docs/api.md"), "utf8");
  const blocksOf = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
      ([, block]) => block as string,
    );
  const [first = "", ...requests] = blocksOf("sh");
  expect(first).toContain("ENDPOINT=");
  expect(requests.length).toBeGreaterThan(5);
  const directory = mkdtempSync(join(tmpdir(), "pasted-"));
  const env = { ENDPOINT: endpoint, KEY: secrets().apiSecret, NO_PROXY: "*" };
  // As pasted, but for that a refusal is an error.
  const strict = 'set -euo pipefail; curl() { command curl -sS --fail-with-body "$@"; }\n';
  const clients = blocksOf("python").filter((block) => block.includes("client.images"));
  const begin = "import os\nENDPOINT, KEY = os.environ['ENDPOINT'], os.environ['KEY']\n";
  try {
    await run("bash", ["-c", strict + requests.join("\n")], { env, cwd: directory });
    await run(python, ["-c", begin + clients.join("\n")], { env, cwd: directory });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
