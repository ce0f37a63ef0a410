import { expect, test } from "vitest";
import { held, podOf, processOf } from "../../bench/idle/processes";

test("what a process holds is its own part of what can't be read again", () => {
  const rollup = [
    "00400000-7ffd1000 ---p 00000000 00:00 0 [rollup]",
    "Rss:              90000 kB",
    "Pss:              50000 kB",
    "Pss_Anon:         30000 kB",
    "Pss_File:         18000 kB",
    "Pss_Shmem:         2000 kB",
  ].join("\n");
  expect(held(rollup)).toBe(32_000 * 1024);
});

test("a process of a pod is told by its group, of version 1 and 2", () => {
  const pod = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const container = "a".repeat(64);
  const group = `/image-service/kubepods/burstable/pod${pod}/${container}`;
  expect(podOf(`9:memory:${group}\n8:cpu:${group}\n`)).toBe(pod);
  expect(podOf(`0::${group}\n`)).toBe(pod);
  expect(podOf("9:memory:/image-service/node\n")).toBeUndefined();
});

test("this process holds something, and one that has ended nothing", () => {
  expect(processOf(process.pid)).toMatchObject({ pod: undefined, program: "node" });
  expect(processOf(process.pid)?.bytes).toBeGreaterThan(1e6);
  expect(processOf(2 ** 22)).toBeUndefined();
});
