import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository, statusFile } from "../../local/paths";
import { readStatus } from "../../local/status";
import { ensureToolchain } from "../../local/toolchain";
import { median, rounded } from "../figures";
import type { Figure } from "./main";
import { programStart } from "./preview";

export const description =
  "from a bare machine to a picture; --new-machine empties the caches first, all data is forgotten";

const minute = 60;

export async function run(args: string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (args.includes("--new-machine")) figures.push(newMachine());
  else await ensureToolchain(() => {});

  local("reset");
  figures.push({
    figure: "toolchain cached to first picture",
    value: seconds(() => local()),
    unit: "s",
    target: `<= ${4 * minute}`,
  });
  figures.push({
    figure: "everything up already",
    value: median([1, 2, 3].map(() => seconds(() => local()))),
    unit: "s",
    target: "<= 20",
  });
  spawnSync("sleep", ["60"]);
  figures.push({
    figure: "idle memory of the whole local stack",
    value: rounded((readStatus()?.memoryBytes ?? Number.NaN) / 1e9),
    unit: "GB",
    target: "<= 6",
  });
  figures.push({
    figure: "program start",
    value: rounded(await programStart()),
    unit: "s",
    target: "<= 3",
  });
  return figures;
}

/** With caches of its own, so that nothing built or downloaded before is used. */
function newMachine(): Figure {
  const scratch = mkdtempSync(join(tmpdir(), "image-service-bench-"));
  const environment = {
    IMAGE_SERVICE_CACHE: join(scratch, "cache"),
    npm_config_cache: join(scratch, "npm"),
  };
  try {
    local("reset");
    rmSync(join(repository, "node_modules"), { recursive: true });
    const value = seconds(() => local("up", environment));
    local("reset");
    return {
      figure: "new machine to first picture",
      value,
      unit: "s",
      target: `<= ${30 * minute}`,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function local(command = "up", environment: Record<string, string> = {}): void {
  const { status } = spawnSync("npm", ["run", "--silent", "local", "--", command], {
    cwd: repository,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`npm run local -- ${command} failed`);
  if (command === "up" && !existsSync(statusFile)) throw new Error("no status was written");
}

function seconds(work: () => void): number {
  const started = Date.now();
  work();
  return rounded((Date.now() - started) / 1_000);
}
