import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { kubeconfig, logs, nodeVar } from "../paths";
import type { Report } from "../progress";
import { attempt, interrupt, run } from "../run";
import type { Toolchain } from "../toolchain";
import { renderAddons } from "./addons";
import { addresses, clusterDomain, nodeName } from "./addresses";
import { ensureCertificates } from "./certificates";
import { joinNodeCgroup } from "./cgroups";
import { ensureNode, findHolder, nodeProcesses } from "./node";
import { type Part, renderParts } from "./parts";

/** GPUs that the node claims to have. No device backs them: the tiny model runs on the CPU. */
export const fakeGpus = 4;
const partTimeoutSeconds = 90;

/** Namespaces, certificates and containerd: what images are loaded into. */
export async function ensureRuntime(toolchain: Partial<Toolchain>, report: Report): Promise<void> {
  await ensureNode(report);
  await ensureCertificates();
  const parts = renderParts().filter((part) => part.name === "containerd");
  await ensureParts(parts, toolchain, report);
}

/** The whole control plane and the node, told of DNS, storage and fake GPUs; mends what has died. */
export async function ensureControlPlane(
  toolchain: Toolchain,
  addonsImage: string,
  report: Report,
): Promise<void> {
  await ensureParts(renderParts(), toolchain, report);
  await Promise.all([
    applyObjects(toolchain, renderAddons(addonsImage)),
    // A restarted kubelet sets resources without a device plugin back to zero.
    kubectl(toolchain, [
      ...["patch", "node", nodeName, "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status: { capacity: { "nvidia.com/gpu": `${fakeGpus}` } } })],
    ]),
  ]);
}

/** Has the cluster hold these objects, whoever changed them. */
export async function applyObjects(toolchain: Toolchain, objects: object[]): Promise<void> {
  await kubectl(
    toolchain,
    ["apply", "--server-side", "--force-conflicts", "-f", "-"],
    objects.map((object) => JSON.stringify(object)).join("\n---\n"),
  );
}

/** Until the node takes pods, and these find DNS and storage. */
export async function untilPodsRun(toolchain: Toolchain): Promise<void> {
  await kubectl(toolchain, ["wait", "--for=condition=Ready", `node/${nodeName}`, "--timeout=90s"]);
  await kubectl(toolchain, [
    ...["--namespace", "kube-system", "wait", "--for=condition=Available", "--timeout=90s"],
    ...["deployment/coredns", "deployment/local-path-provisioner"],
  ]);
  // After a restart the deployments' state is that of before, until the kubelet has looked.
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([addresses.dns]);
  await until("the cluster's DNS answers", () =>
    resolver.resolve4(`kubernetes.default.svc.${clusterDomain}`).then(
      () => true,
      () => false,
    ),
  );
}

const kubectl = (toolchain: Toolchain, args: string[], input?: string) =>
  run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args], { input });

/** Name and state of each part, for `status`. */
export function partStates(): Record<string, boolean> {
  const holder = findHolder();
  const running = holder ? nodeProcesses(holder) : [];
  return Object.fromEntries(
    renderParts().map((part) => [
      part.name,
      running.some((process) => basename(process.commandLine[0] ?? "") === part.name),
    ]),
  );
}

/** Starts what doesn't run, each part once those that it needs are ready. */
export async function ensureParts(
  parts: Part[],
  toolchain: Partial<Toolchain>,
  report: Report,
): Promise<void> {
  const ready = new Map<string, Promise<void>>();
  for (const part of parts) {
    const needs = Promise.all((part.needs ?? []).map((name) => ready.get(name)));
    const start = needs.then(async () => {
      if (await startPart(part, toolchain)) report(`starting ${part.name}`);
      await untilReady(part);
    });
    ready.set(part.name, start);
  }
  await Promise.all(ready.values());
}

/** All of them are Go's, and hold twice what they need; with this, half more. It costs processor time. */
const frugal = { GOGC: "50" };

/** Starts a part unless it runs with these very arguments and files. @returns whether it did */
async function startPart(part: Part, toolchain: Partial<Toolchain>): Promise<boolean> {
  const holder = findHolder();
  if (!holder) throw nodeGone();
  const binary = toolchain[part.name] as string;
  const filesChanged = writeFiles(part);
  for (const process of runningPart(part)) {
    if (!filesChanged && process.commandLine.join("\0") === [binary, ...part.args].join("\0")) {
      return false;
    }
    await end(process.pid);
  }
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${part.name}.log`), "a");
  const path = `${dirname(toolchain.containerd as string)}:/usr/sbin:/usr/bin:/sbin:/bin`;
  // The shell ends at once, so that the node's first process adopts the part.
  spawn(
    "nsenter",
    [
      ...["--target", String(holder.pid), "--mount", "--net", "--pid", "--wd=/"],
      ...["sh", "-euc", `${joinNodeCgroup()}; setsid "$0" "$@" &`, binary, ...part.args],
    ],
    { stdio: ["ignore", log, log], env: { PATH: path, HOME: "/root", ...frugal } },
  );
  return true;
}

/** @returns whether a file differed */
function writeFiles(part: Part): boolean {
  let changed = false;
  for (const [path, content] of Object.entries(part.files ?? {})) {
    const file = join(nodeVar, path.replace(/^\/var\//, ""));
    if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    changed = true;
  }
  return changed;
}

function runningPart(part: Part) {
  const holder = findHolder();
  if (!holder) throw nodeGone();
  return nodeProcesses(holder).filter(
    (process) => basename(process.commandLine[0] ?? "") === part.name,
  );
}

async function end(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (let waited = 0; existsSync(`/proc/${pid}`); waited += 50) {
    if (waited === 10_000) process.kill(pid, "SIGKILL");
    await sleep(50);
  }
}

async function untilReady(part: Part): Promise<void> {
  const holder = findHolder();
  if (!holder) throw nodeGone();
  await until(
    `${part.name} is ready`,
    async () => {
      const probe = await attempt("nsenter", [
        ...["--target", String(holder.pid), "--mount", "--net", "--pid"],
        ...["sh", "-euc", part.ready],
      ]);
      return probe.status === 0;
    },
    () => `its log is ${join(logs, `${part.name}.log`)}`,
  );
}

async function until(
  promise: string,
  holds: () => Promise<boolean>,
  hint = () => "",
): Promise<void> {
  const deadline = Date.now() + partTimeoutSeconds * 1_000;
  while (!(await holds())) {
    interrupt.signal.throwIfAborted();
    if (Date.now() > deadline) {
      throw new UserError(
        `waited ${partTimeoutSeconds} s in vain until ${promise}`,
        `${hint()}; run it again, or start anew with: npm run local -- reset`,
      );
    }
    await sleep(100);
  }
}

const nodeGone = () => new UserError("the node has ended", "run npm run local again");
