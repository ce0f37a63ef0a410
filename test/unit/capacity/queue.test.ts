import { describe, expect, test } from "vitest";
import { planFor, withWorkers } from "../../../capacity/plan";
import { exponential, quantile, seededRandom, simulate } from "../../../capacity/queue";

/**
 * The share of those that wait in a queue of type M/M/c.
 * A. K. Erlang, 1917; https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_C_formula
 */
function erlangC(workers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= workers; n += 1) blocked = (load * blocked) / (n + load * blocked);
  return blocked / (1 - (load / workers) * (1 - blocked));
}

describe.each([
  [1, 0.5],
  [4, 3],
  [4, 3.6],
  [32, 28],
])("%i workers with %f erlangs", (workers, load) => {
  const random = seededRandom(7);
  const serviceSeconds = () => exponential(1, random);
  const { waits } = simulate({ rate: load, workers, serviceSeconds }, 400_000, random);
  const waiting = erlangC(workers, load);

  test("wait as often as Erlang's formula says", () => {
    const share = waits.filter((wait) => wait > 0).length / waits.length;
    expect(Math.abs(share - waiting)).toBeLessThan(0.02);
  });

  test("wait as long as the closed form says", () => {
    // P(wait > t) = C e^(-(c - load) t)
    for (const share of [0.9, 0.95, 0.99]) {
      const exact = Math.max(0, Math.log(waiting / (1 - share)) / (workers - load));
      expect(Math.abs(quantile(waits, share) - exact)).toBeLessThan(0.1 * exact + 0.02);
    }
  });
});

test("a plan is the least that keeps the promise", () => {
  const plan = planFor(2, 3.1, 30);
  expect(plan.p95).toBeLessThanOrEqual(30);
  expect(plan.utilisation).toBeLessThan(1);
  expect(plan.workers).toBe(7);
  const strict = planFor(2, 3.1, 3.5);
  expect(strict.p95).toBeLessThanOrEqual(3.5);
  expect(withWorkers(strict.workers - 1, 2, 3.1).p95).toBeGreaterThan(3.5);
});

test("what one picture alone exceeds, no number of workers keeps", () => {
  expect(() => planFor(2, 10, 5)).toThrow(RangeError);
});
