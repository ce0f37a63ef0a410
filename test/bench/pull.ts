import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, run as command } from "../../local/run";
import { ensureToolchain, type Toolchain } from "../../local/toolchain";
import { median, rounded } from "../figures";
import { exportWorkerImage } from "./image/worker";
import type { Figure } from "./main";
import { serveLayout } from "./pull/registry";

export const description =
  "how long containerd takes to pull the worker image from a registry that is no distance away";

const compressions = ["gzip", "zstd"] as const;
const rounds = 3;
/** Of the phase before a worker's start, in seconds; only gzip is what every registry keeps. */
const budget = 60;

export async function run(): Promise<Figure[]> {
  const toolchain = await ensureToolchain(console.error);
  const directory = mkdtempSync(join(tmpdir(), "image-service-bench-"));
  try {
    const layout = join(directory, "layout");
    for (const compression of compressions) {
      console.error(`${compression}: compressing`);
      await exportWorkerImage(layout, compression);
    }
    const seconds = await race(toolchain, directory, layout);
    return compressions.map((compression) => ({
      figure: `pull, ${compression}`,
      value: rounded(median(seconds[compression])),
      unit: "s",
      target: compression === "gzip" ? `<= ${budget}` : undefined,
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Seconds of each pull, on a containerd of its own: pulls need no kubelet. */
async function race(
  toolchain: Toolchain,
  directory: string,
  layout: string,
): Promise<Record<(typeof compressions)[number], number[]>> {
  const seconds = { gzip: [] as number[], zstd: [] as number[] };
  const registry = await serveLayout(layout);
  const socket = join(directory, "containerd.sock");
  const containerd = startContainerd(toolchain, directory, socket);
  const ended = once(containerd, "exit");
  const ctr = ["--address", socket];
  try {
    while ((await attempt(toolchain.ctr, [...ctr, "version"])).status !== 0) {
      if (containerd.exitCode !== null) throw new Error("containerd ended");
      await sleep(100);
    }
    for (let round = 1; round <= rounds; round++) {
      for (const compression of compressions) {
        console.error(`${compression}: pull ${round} of ${rounds}`);
        const image = `127.0.0.1:${registry.port}/worker:${compression}`;
        const started = performance.now();
        await command(toolchain.ctr, [...ctr, "images", "pull", "--plain-http", image]);
        seconds[compression].push((performance.now() - started) / 1_000);
        await command(toolchain.ctr, [...ctr, "images", "rm", "--sync", image]);
      }
    }
    return seconds;
  } finally {
    containerd.kill();
    await ended;
    registry.close();
  }
}

function startContainerd(toolchain: Toolchain, directory: string, socket: string): ChildProcess {
  const config = join(directory, "containerd.toml");
  writeFileSync(
    config,
    `version = 3
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
[grpc]
address = "${socket}"
`,
  );
  return spawn(toolchain.containerd, ["--config", config, "--log-level", "error"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
