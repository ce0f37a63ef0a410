import { exponential, seededRandom } from "../../../capacity/queue";

/** So many requests a second for so long. */
export interface Phase {
  rate: number;
  seconds: number;
}

/** When requests come, in seconds: a crowd's, each without regard to others (a Poisson process). */
export function arrivals(phases: Phase[], seed: number): number[] {
  const random = seededRandom(seed);
  const moments: number[] = [];
  let start = 0;
  for (const { rate, seconds } of phases) {
    const end = start + seconds;
    for (let at = start + exponential(rate, random); at < end; at += exponential(rate, random)) {
      moments.push(at);
    }
    start = end;
  }
  return moments;
}
