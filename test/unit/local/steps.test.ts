import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { Progress } from "../../../local/progress";
import { interrupt } from "../../../local/run";
import { type Planned, remainingSeconds, Steps } from "../../../local/steps";

const planned = (
  seconds: number,
  cpuSeconds: number,
  needs: Planned[] = [],
  fraction = 0,
): Planned => ({ cost: { seconds, cpuSeconds }, needs, fraction });

test("steps that wait for the network take no longer side by side than the longest alone", () => {
  expect(remainingSeconds([planned(10, 0), planned(20, 0)], 2)).toBeCloseTo(20);
});

test("steps that compute share the cores", () => {
  // 40 and 20 seconds of work on two cores, with both busy to the end.
  expect(remainingSeconds([planned(20, 40), planned(10, 20)], 2)).toBeCloseTo(30);
});

test("a step begins once all that it needs has ended, and what has ended counts no more", () => {
  const first = planned(10, 10, [], 1);
  const second = planned(20, 20, [first], 0.5);
  const third = planned(5, 5, [second, first]);
  expect(remainingSeconds([first, second, third], 2)).toBeCloseTo(15);
});

const progress = () => new Progress(new PassThrough() as unknown as NodeJS.WriteStream);
const cost = { seconds: 1, cpuSeconds: 1 };

test("a step gets the values of those that it needs, and runs beside those that it doesn't", async () => {
  const steps = new Steps();
  let release = () => {};
  const slow = steps.add(
    "slow",
    cost,
    [],
    () =>
      new Promise<string>((resolve) => {
        release = () => resolve("slow");
      }),
  );
  const quick = steps.add("quick", cost, [], async () => {
    release();
    return 7;
  });
  const both = steps.add(
    "both",
    cost,
    [slow, quick],
    async (_, text, number) => `${text} ${number}`,
  );
  await steps.run(progress());
  expect(both.value).toBe("slow 7");
});

// The last test: a failure aborts all that this process runs.
test("the first failure is the one that is told, after those that run beside it have ended", async () => {
  const steps = new Steps();
  const ended = vi.fn();
  steps.add("beside", cost, [], async () => {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
    ended();
    throw new Error("ended by the failure");
  });
  const failing = steps.add("failing", cost, [], async () => {
    throw new Error("no space left");
  });
  const after = vi.fn();
  steps.add("after", cost, [failing], after);
  await expect(steps.run(progress())).rejects.toThrow("no space left");
  expect(ended).toHaveBeenCalled();
  expect(after).not.toHaveBeenCalled();
});
