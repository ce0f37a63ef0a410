import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withWorkers } from "../../capacity/plan";
import { repository } from "../../local/paths";
import { rounded } from "../figures";
import { crowd, most, pictureSeconds, workers } from "./load/crowd";
import { type Outcome, outcomeOf } from "./load/outcome";
import { renderPlot } from "./load/plot";
import type { Figure } from "./main";

export const description =
  "steady, burst and overload through nginx, beside what capacity predicts; argument: SECONDS of a run";

const loads = [0.5, 0.7, 0.85];

const steady = (load: number) => `steady at ${load}`;

export async function run([seconds = "90"]: string[]): Promise<Figure[]> {
  const long = Number(seconds);
  // Minutes pass until the queue at once is as long as it gets: it grows by chance alone.
  const [once, over] = [4 * long, long / 2];
  const runs = await crowd({
    ...Object.fromEntries(
      loads.map((load) => [steady(load), [{ rate: load * most, seconds: long }]]),
    ),
    burst: [
      { rate: 0.5 * most, seconds: long / 3 },
      { rate: 2 * most, seconds: long / 9 },
      { rate: 0.5 * most, seconds: long / 3 },
    ],
    "all that they can": [{ rate: most, seconds: once }],
    "5 times that": [{ rate: 5 * most, seconds: over }],
  });
  const file = join(repository, "out/load.svg");
  mkdirSync(join(repository, "out"), { recursive: true });
  writeFileSync(file, renderPlot(runs));
  console.error(`plot: ${file}`);
  const outcomes = Object.fromEntries(
    Object.entries(runs).map(([name, of]) => [name, outcomeOf(of)]),
  );
  const of = (name: string) => outcomes[name] as Outcome;
  const [full, overload] = [of("all that they can"), of("5 times that")];
  const burst = of("burst");
  return [
    ...loads.flatMap((load) => {
      const { p95 } = of(steady(load));
      const predicted = withWorkers(workers, load * most, pictureSeconds).p95;
      return [
        figure(`${steady(load)}: p95`, p95, "s"),
        figure(`${steady(load)}: p95 predicted`, predicted, "s"),
        figure(`${steady(load)}: measured over predicted`, p95 / predicted, "", [0.85, 1.15]),
      ];
    }),
    ...Object.entries(of(steady(0.85)).processor).map(([part, milliseconds]) =>
      figure(`processor for a picture: ${part}`, milliseconds, "ms"),
    ),
    figure("burst of twice what they can: p95", burst.p95, "s"),
    figure("burst: longest queue", burst.longestQueue, ""),
    figure("all that they can: p95", full.p95, "s"),
    figure("5 times that: p95", overload.p95, "s"),
    figure("p95 at 5 times over at once", overload.p95 / full.p95, "", [0, 1.2]),
    figure(
      "pictures a second at 5 times over at once",
      overload.pictures / over / (full.pictures / once),
      "",
      [0.9, 2],
    ),
    figure("5 times: refused", overload.refused / overload.sent, ""),
    figure(
      "neither drawn nor refused",
      Object.values(outcomes).reduce((sum, { failed }) => sum + failed, 0),
      "",
      [0, 0],
    ),
  ];
}

const figure = (
  name: string,
  value: number,
  unit: string,
  bounds?: [least: number, most: number],
): Figure => ({
  figure: name,
  value: rounded(value),
  unit,
  ...(bounds && {
    target: `${bounds[0]} to ${bounds[1]}`,
    missed: value < bounds[0] || value > bounds[1],
  }),
});
