import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { duration, Progress } from "../../../local/progress";

test.each([
  [0.04, "0.0 s"],
  [9.96, "10.0 s"],
  [42.4, "42 s"],
  [75, "1:15"],
  [3_600, "60:00"],
])("%d seconds read as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

const watched = () => {
  const stream = new PassThrough();
  const progress = new Progress(stream as unknown as NodeJS.WriteStream);
  return { progress, lines: () => stream.read()?.toString().trim().split("\n") ?? [] };
};

test("a step that did something is named with its time; one that had nothing to do is not", async () => {
  const { progress, lines } = watched();
  await progress.step("image worker", 90, async (report) => report("building"));
  await progress.step("node", 10, async () => {});
  expect(lines()).toEqual([expect.stringMatching(/^0\.0 s {2}image worker done in 0\.0 s$/)]);
  expect(progress.phases).toEqual([{ name: "image worker", seconds: 0 }]);
});

test("what runs side by side and the estimate of all stand in one line", async () => {
  vi.useFakeTimers();
  const { progress, lines } = watched();
  progress.start(() => 60);
  const kubernetes = progress.step("kubernetes", 300, async (report) => {
    report("compiling");
    await new Promise((resolve) => setTimeout(resolve, 40_000));
  });
  const worker = progress.step("image worker", 90, async () => {
    await new Promise((resolve) => setTimeout(resolve, 40_000));
  });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(lines()).toEqual(["30 s of about 1:30  kubernetes: compiling 30 s | image worker 30 s"]);
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all([kubernetes, worker]);
  progress.stop();
  vi.useRealTimers();
});
