import { quantile, seededRandom, simulate } from "./queue";

export interface Plan {
  workers: number;
  /** Share of the time in which they draw. */
  utilisation: number;
  /** Seconds from a picture's coming to done that half, and 95 of 100, are below. */
  p50: number;
  p95: number;
  /** The most pictures that wait, in 99 of 100 moments. */
  queue: number;
}

const PICTURES = 100_000;

/** How it is with so many workers, each of which takes the same time for every picture. */
export function withWorkers(workers: number, rate: number, seconds: number): Plan {
  const load = { rate, workers, serviceSeconds: () => seconds };
  const { waits, totals } = simulate(load, PICTURES, seededRandom(1));
  return {
    workers,
    utilisation: (rate * seconds) / workers,
    p50: quantile(totals, 0.5),
    p95: quantile(totals, 0.95),
    // Whoever waits so long finds, on average, so many before it (Little's law).
    queue: Math.ceil(quantile(waits, 0.99) * rate),
  };
}

/**
 * The fewest workers that keep a promise.
 * @param rate pictures a second
 * @param seconds for a picture
 * @param p95 seconds that 95 of 100 pictures may take from coming to done
 * @throws RangeError when one picture alone takes longer
 */
export function planFor(rate: number, seconds: number, p95: number): Plan {
  if (seconds > p95) throw new RangeError(`a picture alone takes ${seconds.toFixed(2)} s`);
  // Fewer would never catch up.
  let workers = Math.floor(rate * seconds) + 1;
  let plan = withWorkers(workers, rate, seconds);
  while (plan.p95 > p95) {
    workers += 1;
    plan = withWorkers(workers, rate, seconds);
  }
  return plan;
}
