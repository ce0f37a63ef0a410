import { expect, test } from "vitest";
import { arrivals } from "../../bench/load/arrivals";
import { outcomeOf, type Run } from "../../bench/load/outcome";
import { renderPlot } from "../../bench/load/plot";

test("requests come as many as asked for in each phase, and without regard to each other", () => {
  const moments = arrivals(
    [
      { rate: 50, seconds: 200 },
      { rate: 5, seconds: 200 },
    ],
    1,
  );
  const first = moments.filter((at) => at < 200);
  expect(first.length / 200).toBeCloseTo(50, -1);
  expect((moments.length - first.length) / 200).toBeCloseTo(5, 0);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  // Of a Poisson process the gaps' deviation is their mean; of even rates it is none.
  const gaps = first.slice(1).map((at, index) => at - (first[index] as number));
  const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

const run: Run = {
  answers: [
    [0, 1, 200],
    [0.5, 3, 200],
    [1, 0.01, 429],
    [2, 9, 502],
    [3, 9, 0],
  ],
  queue: [
    [0, 0, 1],
    [1, 4, 2],
  ],
  memory: [],
  processor: { nginx: 0.002, api: 0.01 },
};

test("what is neither a picture nor refused is counted, and times are of pictures alone, as are processors", () => {
  expect(outcomeOf(run)).toEqual({
    sent: 5,
    pictures: 2,
    refused: 1,
    failed: 2,
    failures: { 0: 1, 502: 1 },
    p50: 3,
    p95: 3,
    longestQueue: 4,
    processor: { nginx: 1, api: 5 },
  });
});

test("the plot has each run by its name, and every line of each panel", () => {
  const plot = renderPlot({ calm: run, storm: run });
  expect(plot.match(/<polyline/g)).toHaveLength(6);
  for (const name of ["calm", "storm", "sent", "accepted", "waiting", "in hand", "p50", "p95"]) {
    expect(plot).toContain(`>${name}</text>`);
  }
  expect(plot).not.toMatch(/NaN|undefined|Infinity/);
});
