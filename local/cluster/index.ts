import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import type { ImageReferences } from "../images";
import { kubeconfig, logs, nodeVar } from "../paths";
import type { Report } from "../progress";
import { attempt, interrupt, run } from "../run";
import type { Toolchain } from "../toolchain";
import { renderAddons } from "./addons";
import { nodeName } from "./addresses";
import { ensureCertificates } from "./certificates";
import { joinNodeCgroup } from "./cgroups";
import { ensureNode, findHolder, nodeProcesses } from "./node";
import { type Part, renderParts } from "./parts";

/** GPUs that the node claims to have. No device backs them: the tiny model runs on the CPU. */
const fakeGpus = "4";
const partTimeoutSeconds = 90;

/** Namespaces, certificates and the parts up to containerd, which the image phase needs. */
export async function ensureRuntime(toolchain: Toolchain, pauseImage: string): Promise<boolean> {
  const running = await ensureNode();
  await ensureCertificates();
  const parts = renderParts(pauseImage).filter((part) => part.name === "containerd");
  const kept = await ensureParts(parts, toolchain);
  return running && kept;
}

/** The whole control plane, the node, DNS, storage and the fake GPUs; mends what has died. */
export async function ensureCluster(
  toolchain: Toolchain,
  images: ImageReferences,
  report: Report,
): Promise<boolean> {
  const kept = await ensureParts(renderParts(images.pause), toolchain, report);
  const kubectl = (args: string[], input?: string) =>
    run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args], {
      input,
    });
  report("node");
  await until(`node ${nodeName} is registered`, async () => {
    const node = await attempt(toolchain.kubectl, [
      `--kubeconfig=${kubeconfig}`,
      ...["get", "node", nodeName],
    ]);
    return node.status === 0;
  });
  // A restarted kubelet sets resources without a device plugin back to zero.
  await kubectl([
    ...["patch", "node", nodeName, "--subresource=status", "--type=merge"],
    ...["-p", JSON.stringify({ status: { capacity: { "nvidia.com/gpu": fakeGpus } } })],
  ]);
  report("DNS and storage");
  const addons = renderAddons(images.addons).map((object) => JSON.stringify(object));
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], addons.join("\n---\n"));
  await kubectl(["wait", "--for=condition=Ready", `node/${nodeName}`, "--timeout=90s"]);
  for (const deployment of ["coredns", "local-path-provisioner"]) {
    await kubectl([
      "-n",
      "kube-system",
      "rollout",
      "status",
      `deployment/${deployment}`,
      "--timeout=90s",
    ]);
  }
  return kept;
}

/** Name and state of each part, for `status`. */
export function partStates(): Record<string, boolean> {
  const holder = findHolder();
  const running = holder ? nodeProcesses(holder) : [];
  return Object.fromEntries(
    renderParts("").map((part) => [
      part.name,
      running.some((process) => basename(process.commandLine[0] ?? "") === part.name),
    ]),
  );
}

/** Starts, one after the other, those that don't run. @returns whether all did */
export async function ensureParts(
  parts: Part[],
  toolchain: Toolchain,
  report?: Report,
): Promise<boolean> {
  let kept = true;
  for (const part of parts) {
    if (await startPart(part, toolchain)) {
      kept = false;
      report?.(part.name);
    }
    await untilReady(part);
  }
  return kept;
}

/** Starts a part unless it runs with these very arguments and files. @returns whether it did */
async function startPart(part: Part, toolchain: Toolchain): Promise<boolean> {
  const holder = findHolder();
  if (!holder) throw nodeGone();
  const binary = toolchain[part.name];
  const filesChanged = writeFiles(part);
  for (const process of runningPart(part)) {
    if (!filesChanged && process.commandLine.join("\0") === [binary, ...part.args].join("\0")) {
      return false;
    }
    await end(process.pid);
  }
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${part.name}.log`), "a");
  const path = `${dirname(toolchain.containerd)}:/usr/sbin:/usr/bin:/sbin:/bin`;
  // The shell ends at once, so that the node's first process adopts the part.
  spawn(
    "nsenter",
    [
      ...["--target", String(holder.pid), "--mount", "--net", "--pid", "--wd=/"],
      ...["sh", "-euc", `${joinNodeCgroup()}; setsid "$0" "$@" &`, binary, ...part.args],
    ],
    { stdio: ["ignore", log, log], env: { PATH: path, HOME: "/root" } },
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
        ...["sh", "-c", part.ready],
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
