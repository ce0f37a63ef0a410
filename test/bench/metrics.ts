import { join } from "node:path";
import { rounded } from "../figures";
import { measure } from "../python";
import type { Figure } from "./main";

export const description =
  "what metrics, and traces that are off, cost a request; argument: PAIRS of requests";

interface Cost {
  "request ms": number;
  "added us": number;
  "added %": number;
}

/** Percent of a request's time. */
const most = 1;

export async function run([pairs = "2000"]: string[]): Promise<Figure[]> {
  const program = join(__dirname, "metrics/main.py");
  const measured = await measure<Record<string, Cost>>(program, [pairs]);
  return Object.entries(measured).flatMap(([request, cost]) => [
    { figure: `${request}: without`, value: rounded(cost["request ms"]), unit: "ms" },
    { figure: `${request}: they add`, value: rounded(cost["added us"]), unit: "µs" },
    {
      figure: `${request}: of its time`,
      value: rounded(cost["added %"]),
      unit: "%",
      target: `<= ${most}`,
      missed: cost["added %"] > most,
    },
  ]);
}
