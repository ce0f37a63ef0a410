import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { count, type Report, slowest } from "../reports";

const scratch = mkdtempSync(join(tmpdir(), "image-service-reports-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function write(runner: Report["runner"], text: string): Report {
  const file = join(scratch, runner);
  writeFileSync(file, text);
  return { runner, file };
}

const vitest = write(
  "vitest",
  JSON.stringify({
    testResults: [
      {
        assertionResults: [
          { fullName: "quick", duration: 5, status: "passed" },
          { fullName: "slow", duration: 7_000, status: "failed" },
          { fullName: "left out", status: "skipped" },
        ],
      },
    ],
  }),
);
const junit = write(
  "junit",
  `<testsuites><testsuite><testcase classname="tests.test_api" name="test_a[sqlite]" time="1.5" />
<testcase classname="tests.test_api" name="test_b" time="9"><failure message="no">x</failure></testcase>
<testcase classname="tests.test_api" name="test_c" time="0.1"><skipped message="later"/></testcase>
</testsuite></testsuites>`,
);

test("tests are counted from a runner's report, skipped ones as neither", () => {
  expect(count(vitest, false)).toEqual({ passed: 1, failed: 1 });
  expect(count(junit, false)).toEqual({ passed: 1, failed: 1 });
});

test("a command without a report counts as one test", () => {
  expect(count(undefined, true)).toEqual({ passed: 1, failed: 0 });
  expect(count({ runner: "junit", file: join(scratch, "missing") }, false)).toEqual({
    passed: 0,
    failed: 1,
  });
});

test("a runner that failed outside its tests counts as one failure", () => {
  const passing = write(
    "vitest",
    JSON.stringify({
      testResults: [{ assertionResults: [{ fullName: "quick", duration: 5, status: "passed" }] }],
    }),
  );
  expect(count(passing, false)).toEqual({ passed: 1, failed: 1 });
});

test("the slowest tests of all runners come first", () => {
  expect(slowest([junit, undefined], 2).map(({ name, seconds }) => [name, seconds])).toEqual([
    ["tests.test_api test_b", 9],
    ["tests.test_api test_a[sqlite]", 1.5],
  ]);
});
