import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Containers, Found } from "./found";

// A node as its log collector sees it, in namespaces of its own: the kubelet's files, and as much of
// Kubernetes' API as the collector asks for. Prints what the store holds after it was away.

const { store, collector, namespace, count } = JSON.parse(process.argv[2] as string) as Containers;
const credentials = "/run/secrets/kubernetes.io/serviceaccount";

const pods = [namespace, "somebody-else"].map((each) => ({
  metadata: { name: `api-of-${each}`, namespace: each, labels: { app: "api" } },
  spec: { nodeName: "node", containers: [{ name: "api" }] },
  status: {
    podIP: "10.0.0.7",
    containerStatuses: [{ name: "api", containerID: `containerd://${each}` }],
  },
}));
const self = { metadata: { name: "node" }, spec: { nodeName: "node" } };

async function serveApi(): Promise<void> {
  mkdirSync(credentials, { recursive: true });
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-out", `${credentials}/ca.crt`, "-keyout", "/run/api.key"],
  ]);
  writeFileSync(`${credentials}/token`, "token");
  writeFileSync(`${credentials}/namespace`, `${namespace}-logs`);
  const list = (items: object[]) => ({ items, metadata: { resourceVersion: "1" } });
  const tls = { cert: readFileSync(`${credentials}/ca.crt`), key: readFileSync("/run/api.key") };
  const server = createServer(tls, (request, answer) => {
    const { pathname, searchParams } = new URL(request.url as string, "https://api");
    answer.writeHead(200, { "Content-Type": "application/json" });
    // A watch under which nothing happens.
    if (searchParams.has("watch")) return answer.flushHeaders();
    if (pathname === "/api/v1/pods") return answer.end(JSON.stringify(list(pods)));
    if (pathname === "/api/v1/namespaces") {
      return answer.end(JSON.stringify(list(pods.map(({ metadata }) => namespaceOf(metadata)))));
    }
    return answer.end(JSON.stringify(self));
  });
  await once(server.listen(6443, "127.0.0.1"), "listening");
}

const namespaceOf = ({ namespace }: { namespace: string }) => ({ metadata: { name: namespace } });

/** The kubelet's file of a container, which /var/log/containers leads to. */
function logFile(each: string): string {
  const folder = join("/var/log/pods", each);
  mkdirSync(folder, { recursive: true });
  mkdirSync("/var/log/containers", { recursive: true });
  const file = join(folder, "0.log");
  writeFileSync(file, "");
  symlinkSync(file, `/var/log/containers/api-of-${each}_${each}_api-${each}.log`);
  return file;
}

function start([program = "", ...args]: string[]): ChildProcess {
  return spawn(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "6443" },
  });
}

/** As the kubelet ends a container. */
async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function query(text: string): Promise<string> {
  const url = `http://127.0.0.1:9428/select/logsql/query?${new URLSearchParams({ query: text })}`;
  return (await fetch(url)).text();
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await what().catch(() => false)) return;
    await sleep(200);
  }
}

const answers = (port: number) => async () =>
  (await fetch(`http://127.0.0.1:${port}/health`)).status === 200;

/** The store's own count of a container's lines, and of different ones. */
async function found(each: string): Promise<Found> {
  const counted = await query(
    `kubernetes.pod_namespace:=${JSON.stringify(each)} | stats count() lines, count_uniq(number) different`,
  );
  const { lines, different } = JSON.parse(counted || "{}");
  return { lines: Number(lines ?? 0), different: Number(different ?? 0) };
}

async function main(): Promise<void> {
  // Another host would ask for the application's own.
  execFileSync("hostname", ["vlagent-x"]);
  await serveApi();
  const file = logFile(namespace);
  const other = logFile("somebody-else");
  let written = 0;
  const write = (lines: number) => {
    for (const end = written + lines; written < end; written++) {
      const time = new Date().toISOString();
      const event = { time, level: "INFO", message: "a line", request_id: "r", number: written };
      appendFileSync(file, `${time} stdout F ${JSON.stringify(event)}\n`);
      appendFileSync(other, `${time} stdout F somebody else's\n`);
    }
  };
  let keeper = start(store);
  await until(answers(9428));
  let reader = start(collector);
  write(0.3 * count);
  await until(async () => (await found(namespace)).lines > 0);
  await stop(keeper);
  write(0.2 * count);
  await until(answers(9429));
  await stop(reader);
  write(0.1 * count);
  reader = start(collector);
  await until(answers(9429));
  write(0.1 * count);
  // As the kubelet rotates, once what is there was read.
  await sleep(3_000);
  renameSync(file, `${file}.20261126-000000`);
  writeFileSync(file, "");
  write(0.1 * count);
  keeper = start(store);
  write(0.2 * count);
  await until(async () => (await found(namespace)).different === count);
  const example = JSON.parse((await query("number:=0 | limit 1")) || "{}");
  console.log(
    JSON.stringify({ own: await found(namespace), other: await found("somebody-else"), example }),
  );
  await stop(reader);
  await stop(keeper);
  process.exit();
}

void main();
