import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cache, repository } from "../../local/paths";
import { pack } from "./gpu/pack";
import type { Figure } from "./main";

export const description =
  "the worker against diffusers on this machine's GPU; --minutes 8, --quick, --only batches,whole, --trimmed, --steps 30,20, --batch 2,4; --pack DIR [--python 3.12]: a folder for a machine that has torch and no network";

const service = join(repository, "docker/service");
const lock = join(service, "requirements/worker.txt");

export async function run(args: string[]): Promise<Figure[]> {
  const { pack: directory, python: version } = parseArgs({
    args,
    options: { pack: { type: "string" }, python: { type: "string", default: "3.12" } },
    // The rest is for bench.py.
    strict: false,
  }).values;
  if (directory !== undefined) {
    if (typeof directory !== "string")
      throw new Error("--pack needs a folder: npm run bench -- gpu --pack DIR");
    pack(directory, String(version));
    return [{ figure: "folder", value: mebibytes(directory), unit: "MiB", target: "<= 60" }];
  }
  const { status, stdout } = spawnSync(python(), [join(__dirname, "gpu/bench.py"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PYTHONPATH: service, TRANSFORMERS_VERBOSITY: "error" },
  });
  if (status !== 0) throw new Error(`test/bench/gpu/bench.py failed, after\n${stdout}`);
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Figure);
}

function mebibytes(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20);
}

/** The PATH's Python where it has what the worker needs; else one with the lock's packages. */
function python(): string {
  const needed = "import diffusers, obstore, prometheus_client, pydantic_settings, torch, zlib_ng";
  if (spawnSync("python3", ["-c", needed]).status === 0) return "python3";
  const digest = createHash("sha256").update(readFileSync(lock)).digest("hex").slice(0, 16);
  const environment = join(cache, `python-worker-${digest}`);
  const installed = join(environment, "installed");
  if (!existsSync(installed)) {
    const pip = join(environment, "bin/pip");
    for (const command of [
      ["python3", "-m", "venv", "--clear", environment],
      [pip, "install", "--quiet", "--require-hashes", "-r", lock],
      ["touch", installed],
    ]) {
      const { status } = spawnSync(command[0] as string, command.slice(1), { stdio: "inherit" });
      if (status !== 0) throw new Error(`${command.join(" ")} failed`);
    }
  }
  return join(environment, "bin/python");
}
