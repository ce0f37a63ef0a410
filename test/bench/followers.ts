import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { rounded } from "../figures";
import { pythonSetup, service } from "../python";
import type { Figure } from "./main";

export const description = "followers of tasks at one replica of the api; argument: FOLLOWERS";

const targets: Record<string, string> = {
  "memory MB": "<= 200",
  "delay p50 ms": "<= 15",
  "delivered of 100": ">= 100",
};

export async function run([followers = "1000"]: string[]): Promise<Figure[]> {
  const main = join(__dirname, "followers/main.py");
  const { status, stdout } = spawnSync(
    "sh",
    ["-euc", `{ ${pythonSetup}; } >&2; PYTHONPATH=. exec .venv/bin/python "${main}" ${followers}`],
    { cwd: service, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" },
  );
  if (status !== 0) throw new Error("the benchmark failed; its message stands above");
  const figures = Object.entries(JSON.parse(stdout) as Record<string, number>);
  return figures.map(([name, value]) => ({
    figure: name,
    value: rounded(value),
    unit: "",
    target: targets[name],
  }));
}
