import { rounded } from "../figures";
import { crowd, most } from "./load/crowd";
import { outcomeOf, type Run } from "./load/outcome";
import type { Figure } from "./main";

export const description =
  "hours in little: 0.7 of what the workers can, and what memory does meanwhile; argument: MINUTES (30)";

export async function run([minutes = "30"]: string[]): Promise<Figure[]> {
  const { soak } = await crowd({ soak: [{ rate: 0.7 * most, seconds: 60 * Number(minutes) }] });
  const { pictures, failed, failures, refused, p50, p95 } = outcomeOf(soak);
  return [
    { figure: "pictures", value: pictures, unit: "" },
    {
      figure: "neither drawn nor refused",
      value: failed,
      unit: "",
      target: "0",
      missed: failed > 0,
    },
    ...Object.entries(failures).map(([status, value]) => ({
      figure: `answered ${status}`,
      value,
      unit: "",
    })),
    { figure: "refused", value: refused, unit: "" },
    { figure: "p50", value: rounded(p50), unit: "s" },
    { figure: "p95", value: rounded(p95), unit: "s" },
    ...(["first", "second"] as const).map((half) => ({
      figure: `p95 of the ${half} half`,
      value: rounded(p95Of(soak, half)),
      unit: "s",
    })),
    ...Object.keys(soak.processor).flatMap((part) => growth(soak, part)),
  ];
}

/** Of the requests that were sent in one half of the time. */
function p95Of(run: Run, half: "first" | "second"): number {
  const middle = (run.answers.at(-1)?.[0] ?? 0) / 2;
  const isIn = ([moment]: Run["answers"][number]) => moment < middle === (half === "first");
  return outcomeOf({ ...run, answers: run.answers.filter(isIn) }).p95;
}

/** Bytes a part had after a tenth of the time, when it is warm, and at the end. */
function growth({ memory }: Run, part: string): Figure[] {
  const tenth = Math.ceil(memory.length / 10);
  const mean = (samples: Run["memory"]) =>
    samples.reduce((sum, [, bytes]) => sum + (bytes[part] ?? 0), 0) / samples.length;
  const warm = mean(memory.slice(tenth, 2 * tenth));
  const end = mean(memory.slice(-tenth));
  const grown = end - warm;
  // Of a small part a fifth is what its allocator does on a good day.
  const most = Math.max(0.2 * warm, 5e6);
  return [
    { figure: `memory of ${part} at the end`, value: rounded(end / 1e6), unit: "MB" },
    {
      figure: `memory of ${part}: grown since it was warm`,
      value: rounded(grown / 1e6),
      unit: "MB",
      target: `<= ${rounded(most / 1e6)}`,
      missed: grown > most,
    },
  ];
}
