import { quantile } from "../../../capacity/queue";

/** What main.py says of a run. */
export interface Run {
  /** Moment at which it was sent, seconds that it took, HTTP status (0: none came). */
  answers: [moment: number, seconds: number, status: number][];
  queue: [moment: number, waiting: number, drawing: number][];
  /** Bytes by part. */
  memory: [moment: number, bytes: Record<string, number>][];
  /** Seconds of a processor by part: nginx, api, workers, PostgreSQL, Redis. */
  processor: Record<string, number>;
}

export interface Outcome {
  sent: number;
  pictures: number;
  /** 429. */
  refused: number;
  /** Neither: each is one too many. */
  failed: number;
  /** Those, by HTTP status (0: no answer came). */
  failures: Record<string, number>;
  /** Seconds from sent to drawn, of those that were. */
  p50: number;
  p95: number;
  longestQueue: number;
  /** Milliseconds of a processor for a picture, by part. */
  processor: Record<string, number>;
}

export function outcomeOf({ answers, queue, processor }: Run): Outcome {
  const drawn = answers.filter(([, , status]) => status === 200).map(([, seconds]) => seconds);
  const refused = answers.filter(([, , status]) => status === 429).length;
  const failures: Outcome["failures"] = {};
  for (const [, , status] of answers) {
    if (status !== 200 && status !== 429) failures[status] = (failures[status] ?? 0) + 1;
  }
  return {
    sent: answers.length,
    pictures: drawn.length,
    refused,
    failed: answers.length - drawn.length - refused,
    failures,
    p50: quantile(drawn, 0.5),
    p95: quantile(drawn, 0.95),
    longestQueue: Math.max(...queue.map(([, waiting]) => waiting)),
    processor: Object.fromEntries(
      Object.entries(processor).map(([part, seconds]) => [part, (1_000 * seconds) / drawn.length]),
    ),
  };
}
