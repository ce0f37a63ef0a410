import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
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

test("a phase says which of how many it is, its step, and whether everything was there", async () => {
  const stream = new PassThrough();
  const progress = new Progress(2, stream as unknown as NodeJS.WriteStream);
  await progress.phase("toolchain", 90, async (report) => {
    report("1 of 8: etcd", 25);
    return false;
  });
  await progress.phase("images", 10, async () => true);
  expect(stream.read().toString().split("\n")).toEqual([
    "[1/2] toolchain: 1 of 8: etcd  0.0 s of about 25 s",
    expect.stringMatching(/^\[1\/2\] toolchain {2}done in 0\.0 s/),
    expect.stringMatching(/^\[2\/2\] images {2}ready in 0\.0 s/),
    "",
  ]);
  expect(progress.phases.map(({ name, cached }) => ({ name, cached }))).toEqual([
    { name: "toolchain", cached: false },
    { name: "images", cached: true },
  ]);
});
