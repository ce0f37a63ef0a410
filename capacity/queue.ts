/** Pictures that come at random to one queue of many workers. */
export interface Load {
  /** Pictures a second; they come by a Poisson process. */
  rate: number;
  workers: number;
  /** Seconds that a worker takes for the next picture. */
  serviceSeconds: () => number;
}

/** From 0 to 1, the same each time: what is predicted twice is predicted alike. */
export function seededRandom(seed: number): () => number {
  // https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Seconds between two events of so many a second. */
export const exponential = (rate: number, random: () => number) => -Math.log(1 - random()) / rate;

/**
 * A queue of type M/G/c, first come first served (Kiefer and Wolfowitz, 1955).
 * @returns of each picture, in the order in which they come, how many seconds it waited and how many
 *   it took from coming to done; without the first tenth, which found the queue empty
 */
export function simulate(
  { rate, workers, serviceSeconds }: Load,
  pictures: number,
  random: () => number,
) {
  /** When each worker is free, sorted. */
  const free = new Array<number>(workers).fill(0);
  const waits: number[] = [];
  const totals: number[] = [];
  let now = 0;
  for (let n = 0; n < pictures; n += 1) {
    now += exponential(rate, random);
    const start = Math.max(now, free.shift() as number);
    const end = start + serviceSeconds();
    insert(free, end);
    if (n < pictures / 10) continue;
    waits.push(start - now);
    totals.push(end - now);
  }
  return { waits, totals };
}

function insert(sorted: number[], value: number): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, value);
}

/** @param share from 0 to 1 */
export function quantile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] as number;
}
