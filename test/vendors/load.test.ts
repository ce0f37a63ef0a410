import { expect, test } from "vitest";
import { crowd, most, queueLimit } from "../bench/load/crowd";
import { outcomeOf } from "../bench/load/outcome";

// By vegeta: a crowd that sends without regard to answers, so that no wait hides another.

test("under five times what the workers draw, each request is drawn or refused with 429, and the queue keeps its bound", async () => {
  const { overload } = await crowd({ overload: [{ rate: 5 * most, seconds: 10 }] });
  const { sent, pictures, refused, failures, longestQueue } = outcomeOf(overload);
  expect(sent).toBeGreaterThan(4 * most * 10);
  expect(failures).toEqual({});
  expect(pictures).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
  // The limit holds to what comes between two counts; without it, thousands would wait.
  expect(longestQueue).toBeLessThan(queueLimit + 5 * most);
});
