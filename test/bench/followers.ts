import { join } from "node:path";
import { rounded } from "../figures";
import { measure } from "../python";
import type { Figure } from "./main";

export const description = "followers of tasks at one replica of the api; argument: FOLLOWERS";

const targets: Record<string, string> = {
  "memory MB": "<= 200",
  "delay p50 ms": "<= 15",
  "delivered of 100": ">= 100",
};

export async function run([followers = "1000"]: string[]): Promise<Figure[]> {
  const program = join(__dirname, "followers/main.py");
  const measured = await measure<Record<string, number>>(program, [followers]);
  return Object.entries(measured).map(([name, value]) => ({
    figure: name,
    value: rounded(value),
    unit: "",
    target: targets[name],
  }));
}
