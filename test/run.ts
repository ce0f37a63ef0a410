import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findHolder } from "../local/cluster/node";
import { repository } from "../local/paths";
import { duration, Progress } from "../local/progress";
import { attempt, interrupt } from "../local/run";
import { type Cost, type Step, Steps } from "../local/steps";
import { pythonSetup, service, sideBySide } from "./python";
import { type Count, count, type Report, slowest } from "./reports";

/**
 * `npm test`: everything that CI runs, from set-up to the end-to-end tests. What needs nothing of
 * each other runs side by side. Goes through all of it even after a failure, tells what took the
 * time, and closes with the count of all tests.
 */
const reports = mkdtempSync(join(tmpdir(), "image-service-test-"));
const steps = new Steps();
const progress = new Progress();
const table: {
  name: string;
  counted: Count;
  seconds: number;
  report: Report | undefined;
  tail: string;
}[] = [];
/** Lines of a failed step's output that are shown once more at the end, where a long log is read. */
const TAIL = 60;

interface Command {
  command: string[];
  cwd?: string;
  /** Where the runner writes its counts; a step without one counts as a single test. */
  report?: Report;
}

/** A step that runs unless one that it needs has failed; then all of it counts as one failure. */
function add(
  name: string,
  cost: Cost,
  needs: readonly Step<Count>[],
  { command: [file = "", ...args], cwd = repository, report }: Command,
): Step<Count> {
  return steps.add(name, cost, needs, async (doing, ...needed) => {
    doing("running");
    const started = Date.now();
    const blocked = needed.some(({ failed }) => failed > 0);
    const { status, output } = blocked
      ? { status: 1, output: "not run, since a step that it needs has failed" }
      : await attempt(file, args, { cwd });
    interrupt.signal.throwIfAborted();
    console.log(`\n=== ${name}\n${output.trimEnd()}`);
    const counted = count(report, status === 0);
    const tail = output.trimEnd().split("\n").slice(-TAIL).join("\n");
    table.push({ name, counted, seconds: (Date.now() - started) / 1_000, report, tail });
    return counted;
  });
}

const npm = (script: string): Command => ({ command: ["npm", "run", "--silent", script] });
const shell = (line: string, cwd?: string): Command => ({ command: ["sh", "-euc", line], cwd });
const script = (file: string): Command => ({ command: ["node", "local/bootstrap.cjs", file] });
const vitest = (project: string): Command => {
  const file = join(reports, project);
  return {
    command: [
      ...["npx", "vitest", "run", "--project", project],
      ...["--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
    ],
    report: { runner: "vitest", file },
  };
};

// A stack that is up is used and left up. Else the tests have their own, from nothing to nothing.
if (!findHolder()) {
  process.env.IMAGE_SERVICE_STATE = "/var/lib/image-service-test";
  reset();
  process.on("exit", reset);
}

function reset(): void {
  spawnSync("node", ["local/bootstrap.cjs", "local/cli.ts", "reset"], { cwd: repository });
}

add("types", { seconds: 12, cpuSeconds: 14 }, [], npm("types"));
add("lint", { seconds: 3, cpuSeconds: 3 }, [], npm("lint"));
add("unit", { seconds: 15, cpuSeconds: 25 }, [], vitest("unit"));
add("hostile", { seconds: 15, cpuSeconds: 20 }, [], vitest("hostile"));
add("upgrade", { seconds: 20, cpuSeconds: 25 }, [], vitest("upgrade"));
const setup = add("set-up", { seconds: 20, cpuSeconds: 20 }, [], script("test/setup.ts"));
add(
  "shell",
  { seconds: 3, cpuSeconds: 3 },
  [setup],
  shell(
    "command -v shellcheck >/dev/null || { apt-get update -q; apt-get install -qy shellcheck; }; " +
      // Not `git grep`: a source archive has no .git.
      "shellcheck $(grep -rlE --exclude-dir=node_modules --exclude-dir=.venv --exclude-dir=.git " +
      '"^#!/(bin/sh|usr/bin/env bash)" .)',
  ),
);
add("workflows", { seconds: 10, cpuSeconds: 8 }, [setup], script("test/workflows/main.ts"));

const python = add(
  "python",
  { seconds: 60, cpuSeconds: 60 },
  [setup],
  shell(
    `${pythonSetup}; ` +
      'for check in check "format --check"; do .venv/bin/ruff $check . ../../test/bench; done; ' +
      ".venv/bin/lint-imports --no-logo; .venv/bin/mypy",
    service,
  ),
);
const junit = join(reports, "service");
const pytest = add("service", { seconds: 150, cpuSeconds: 150 }, [python], {
  command: [".venv/bin/pytest", "-m", "not model", ...sideBySide, `--junitxml=${junit}`],
  cwd: service,
  report: { runner: "junit", file: junit },
});
const faults = add(
  "faults",
  { seconds: 120, cpuSeconds: 60 },
  [pytest],
  shell(".venv/bin/python -m tests.faults --trials 4", service),
);

const local = add("local", { seconds: 60, cpuSeconds: 60 }, [setup], script("local/cli.ts"));
const vendors = add(
  "vendors",
  { seconds: 30, cpuSeconds: 20 },
  // Where a major version changes, the service's own code looks at its tasks.
  [local, python],
  vitest("vendors"),
);
const e2e = add("e2e", { seconds: 480, cpuSeconds: 300 }, [vendors], vitest("e2e"));
// After the faults, as each waits more than it computes: two such at a time keep the cores busy.
const plugin = add("plugin", { seconds: 105, cpuSeconds: 40 }, [local, faults], vitest("plugin"));
// As the plugin's tests mostly wait, what computes goes beside them.
add("images", { seconds: 120, cpuSeconds: 130 }, [local, faults], vitest("images"));
// What kills the node's parts comes when nobody else is on it.
add("repair", { seconds: 30, cpuSeconds: 20 }, [e2e, plugin], vitest("repair"));

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

steps.run(progress).then(
  () => {
    const total = { passed: 0, failed: 0 };
    for (const { name, counted, tail } of table) {
      if (counted.failed > 0) console.log(`\n=== ${name} failed; its end:\n${tail}`);
    }
    console.log("");
    for (const { name, counted, seconds } of table) {
      total.passed += counted.passed;
      total.failed += counted.failed;
      const counts = `${counted.passed} passed, ${counted.failed} failed`;
      console.log(`${name.padEnd(10)} ${counts}, ${duration(seconds)}`);
    }
    console.log("\nten slowest tests");
    for (const { name, seconds } of slowest(
      table.map(({ report }) => report),
      10,
    )) {
      console.log(`${duration(seconds).padStart(6)}  ${name}`);
    }
    rmSync(reports, { recursive: true });
    console.log(`\n${total.passed} passed, ${total.failed} failed`);
    process.exitCode = total.failed === 0 ? 0 : 1;
  },
  (error: Error) => {
    if (error.name !== "AbortError") console.error(error);
    process.exitCode = error.name === "AbortError" ? 130 : 1;
  },
);
