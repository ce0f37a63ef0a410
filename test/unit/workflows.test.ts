import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../../local/paths";
import { accepted, stacks } from "../golden/stacks";

const { jobs } = parse(readFileSync(join(repository, ".github/workflows/up.yml"), "utf8"));
const minutes: number = jobs.up["timeout-minutes"];

/** The longest time that a resource gives itself, in minutes. */
const longest = ({ timeouts = {} }: { timeouts?: Record<string, string> }): number =>
  Math.max(
    0,
    ...Object.values(timeouts).map(
      (time) => Number.parseInt(time, 10) * (/h$/.test(time) ? 60 : 1),
    ),
  );

test.each(stacks)("an update of %s has the time that its resources give themselves", (stack) => {
  const waits = Object.values(accepted(stack)).map(longest);
  const afterEachOther = waits.reduce((sum, wait) => sum + wait, 0);
  expect(afterEachOther).toBeGreaterThan(0);
  expect(minutes).toBeGreaterThan(afterEachOther);
  // https://docs.github.com/en/actions/reference/limits
  expect(minutes).toBeLessThanOrEqual(360);
});

test("an update's session on AWS lasts as long as its job", () => {
  const steps = jobs.up.steps as { with?: Record<string, number> }[];
  const seconds = steps.flatMap((step) => step.with?.["role-duration-seconds"] ?? []);
  expect(seconds).toHaveLength(1);
  expect(seconds[0]).toBeGreaterThanOrEqual(minutes * 60);
});
