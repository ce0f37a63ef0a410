import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findHolder } from "../local/cluster/node";
import { repository } from "../local/paths";
import { pythonSetup, service } from "./python";

/**
 * `npm test`: everything that CI runs, from set-up to the end-to-end test. Goes through all steps
 * even after a failure, and closes with the count of all of them.
 */
interface Step {
  name: string;
  command: string[];
  cwd?: string;
  /** Where the runner writes its counts; a step without one counts as a single test. */
  report?: "vitest" | "junit";
  /** Skipped, and counted as failed, when the local stack could not be brought up. */
  needsLocal?: boolean;
}

const reports = mkdtempSync(join(tmpdir(), "image-service-test-"));
const reportFile = (name: string) => join(reports, name);
const vitest = (project: string, needsLocal = false): Step => ({
  name: project,
  command: [
    ...["npx", "vitest", "run", "--project", project],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile(project)}`],
  ],
  report: "vitest",
  needsLocal,
});
const local = ["node", "local/bootstrap.cjs", "local/cli.ts"];

const steps: Step[] = [
  { name: "types", command: ["npm", "run", "--silent", "types"] },
  { name: "lint", command: ["npm", "run", "--silent", "lint"] },
  {
    name: "shell",
    command: [
      "sh",
      "-euc",
      "command -v shellcheck >/dev/null || { apt-get update -q; apt-get install -qy shellcheck; }; " +
        // Not `git grep`: a source archive has no .git.
        "shellcheck $(grep -rlE --exclude-dir=node_modules --exclude-dir=.venv --exclude-dir=.git " +
        '"^#!/(bin/sh|usr/bin/env bash)" .)',
    ],
  },
  { name: "workflows", command: ["node", "local/bootstrap.cjs", "test/workflows/main.ts"] },
  vitest("unit"),
  {
    name: "python",
    cwd: service,
    command: [
      "sh",
      "-euc",
      `${pythonSetup}; ` +
        'for check in check "format --check"; do .venv/bin/ruff $check . ../../test/bench; done; ' +
        ".venv/bin/mypy",
    ],
  },
  {
    name: "service",
    cwd: service,
    command: [".venv/bin/pytest", "-m", "not model", `--junitxml=${reportFile("service")}`],
    report: "junit",
  },
  {
    name: "faults",
    cwd: service,
    command: [".venv/bin/python", "-m", "tests.faults", "--trials", "4"],
  },
  { name: "local", command: local },
  vitest("plugin", true),
  vitest("e2e", true),
];

interface Count {
  passed: number;
  failed: number;
}

function count(step: Step, status: number | null): Count {
  const file = reportFile(step.name);
  const succeeded = status === 0;
  if (!step.report || !existsSync(file)) return { passed: +succeeded, failed: +!succeeded };
  const text = readFileSync(file, "utf8");
  const counted = step.report === "vitest" ? countVitest(text) : countJunit(text);
  // A runner may fail outside any test: while it collects, or in a hook.
  return succeeded || counted.failed > 0 ? counted : { ...counted, failed: 1 };
}

function countVitest(text: string): Count {
  const { numPassedTests, numFailedTests } = JSON.parse(text) as Record<string, number>;
  return { passed: numPassedTests ?? 0, failed: numFailedTests ?? 0 };
}

function countJunit(text: string): Count {
  const suite = /<testsuite [^>]*>/.exec(text)?.[0] ?? "";
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  return { passed: attribute("tests") - failed - attribute("skipped"), failed };
}

// A stack that is up is used and left up. Else the tests have their own, from nothing to nothing.
if (!findHolder()) {
  process.env.IMAGE_SERVICE_STATE = "/var/lib/image-service-test";
  reset();
  process.on("exit", reset);
}

function reset(): void {
  spawnSync(local[0] as string, [...local.slice(1), "reset"], { cwd: repository });
}

const total: Count = { passed: 0, failed: 0 };
const table: string[] = [];
let localFailed = false;

for (const step of steps) {
  const started = Date.now();
  console.log(`\n=== ${step.name}`);
  const status =
    step.needsLocal && localFailed
      ? 1
      : spawnSync(step.command[0] as string, step.command.slice(1), {
          cwd: step.cwd ?? repository,
          stdio: "inherit",
        }).status;
  // Ctrl-C reached the step; null is a step that a signal ended.
  if (status === 130 || status === null) process.exit(130);
  if (step.name === "local" && status !== 0) localFailed = true;
  const { passed, failed } = count(step, status);
  total.passed += passed;
  total.failed += failed;
  const seconds = Math.round((Date.now() - started) / 1_000);
  table.push(`${step.name.padEnd(10)} ${passed} passed, ${failed} failed, ${seconds} s`);
}

rmSync(reports, { recursive: true });
console.log(`\n${table.join("\n")}\n\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
