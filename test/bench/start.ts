import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "../../local/paths";
import type { Status } from "../../local/status";
import { median, rounded } from "../figures";
import type { Figure } from "./main";
import { Usage } from "./start/usage";

export const description =
  "from a bare machine to a picture, and each shorter way there; --cached leaves the bare machine out";

const minute = 60;
const gigabyte = 1e9;

/** Everything has a state and a cache of its own: what was built or kept before plays no part. */
export async function run(args: string[]): Promise<Figure[]> {
  const scratch = mkdtempSync(join(tmpdir(), "image-service-bench-"));
  const cached = args.includes("--cached");
  const environment = {
    IMAGE_SERVICE_STATE: join(scratch, "state"),
    ...(!cached && {
      IMAGE_SERVICE_CACHE: join(scratch, "cache"),
      npm_config_cache: join(scratch, "npm"),
    }),
  };
  const local = (command: string): string => {
    const { status, stdout } = spawnSync(
      "npm",
      ["run", "--silent", "local", "--", ...command.split(" ")],
      {
        cwd: repository,
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, ...environment },
      },
    );
    if (status !== 0) throw new Error(`npm run local -- ${command} failed`);
    return stdout.toString();
  };
  const timed = (command: string): number => {
    const started = Date.now();
    local(command);
    return rounded((Date.now() - started) / 1_000);
  };
  const seconds = (figure: string, value: number, limit: number): Figure => ({
    figure,
    value,
    unit: "s",
    target: `<= ${limit}`,
  });

  try {
    const figures = cached ? [] : await bareMachine(scratch, () => timed("up"));
    if (!cached) figures.push(...phases(JSON.parse(local("status --json")) as Status));
    local("reset");
    figures.push(seconds("everything cached, after reset", timed("up"), minute));
    local("down");
    figures.push(seconds("after down", timed("up"), 15));
    const again = median([1, 2, 3].map(() => timed("up")));
    figures.push(seconds("everything up already", again, 4));
    spawnSync("sleep", ["60"]);
    const { memoryBytes } = JSON.parse(local("status --json"));
    figures.push({
      figure: "idle memory of the whole local stack",
      value: rounded(memoryBytes / gigabyte),
      unit: "GB",
    });
    return figures;
  } finally {
    local("reset");
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function bareMachine(scratch: string, up: () => number): Promise<Figure[]> {
  rmSync(join(repository, "node_modules/.package-lock.json"), { force: true });
  const usage = await Usage.start(scratch);
  const value = up();
  const { cpuSeconds, receivedBytes, peakDiskBytes, peakMemoryBytes } = await usage.stop();
  const gigabytes = (figure: string, bytes: number, limit: number): Figure => ({
    figure,
    value: rounded(bytes / gigabyte),
    unit: "GB",
    target: `<= ${limit}`,
  });
  return [
    { figure: "bare machine to picture", value, unit: "s", target: `<= ${12 * minute}` },
    { figure: "  processor time", value: Math.round(cpuSeconds), unit: "s" },
    gigabytes("  downloads", receivedBytes, 1.5),
    gigabytes("  peak of the disk", peakDiskBytes, 15),
    gigabytes("  peak of the memory", peakMemoryBytes, 6),
  ];
}

const phases = ({ phases }: Status): Figure[] =>
  phases.map(({ name, seconds }) => ({ figure: `  ${name}`, value: seconds, unit: "s" }));
