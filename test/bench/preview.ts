import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median, rounded } from "../figures";
import { RecordedStack } from "../recorder/stack";
import type { Figure } from "./main";

export const description =
  "start of the program, and previews of prod without a change, with recording providers";

const rounds = 3;

export async function run(): Promise<Figure[]> {
  const configured = await RecordedStack.create("as configured");
  const checked = await RecordedStack.create("type-checked");
  try {
    for (const stack of [configured, checked])
      await stack.mustRun(["up", "--yes", "--skip-preview"]);
    const starts: number[] = [];
    const previews: number[] = [];
    const checkedPreviews: number[] = [];
    // Interleaved, so that what else runs on the machine slows both alike.
    for (let round = 0; round < rounds; round++) {
      const { seconds, start } = await preview(configured);
      previews.push(seconds);
      starts.push(start);
      checkedPreviews.push((await preview(checked)).seconds);
    }
    const times = median(checkedPreviews) / median(previews);
    return [
      figure("start of the program, to its first resource", median(starts), "s", "<= 2.5"),
      figure("preview without a change", median(previews), "s", "<= 5"),
      figure("the same, type-checked by ts-node", median(checkedPreviews), "s"),
      figure("times faster", times, "", ">= 3"),
    ];
  } finally {
    configured.close();
    checked.close();
  }
}

/** Written by the program's process as it starts. */
const startFile = "started";

async function preview(stack: RecordedStack): Promise<{ seconds: number; start: number }> {
  const file = join(stack.directory, startFile);
  stack.recorder.firstRequest = 0;
  const began = performance.now();
  await stack.mustRun(["preview", "--expect-no-changes"], {
    NODE_OPTIONS: `--require ${join(__dirname, "preview/started.cjs")}`,
    STARTED_FILE: file,
  });
  return {
    seconds: (performance.now() - began) / 1_000,
    start: (stack.recorder.firstRequest - Number(readFileSync(file, "utf8"))) / 1_000,
  };
}

const figure = (name: string, value: number, unit: string, target?: string): Figure => ({
  figure: name,
  value: rounded(value),
  unit,
  target,
});
