import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../../local/paths";
import { commandName, isRunning, known } from "../../../local/processes";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "image-service-lock-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Takes the lock in a process of its own, where one lies there already. @returns its error and the lock it had */
function acquire(lock: unknown): { stderr: string; lock: unknown } {
  const file = join(directory, "lock");
  writeFileSync(file, typeof lock === "string" ? lock : JSON.stringify(lock));
  const line =
    'require("./local/lock").acquireLock(); console.log(require("fs").readFileSync(process.argv[1], "utf8"))';
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--require", "tsx/cjs", "--eval", line, file],
    {
      cwd: repository,
      encoding: "utf8",
      env: { ...process.env, IMAGE_SERVICE_STATE: directory },
    },
  );
  return { stderr, lock: stdout && JSON.parse(stdout) };
}

test("a run that is at work has the lock", () => {
  const { stderr } = acquire(known(process.pid));
  expect(stderr).toContain(`another npm run local is at work (pid ${process.pid})`);
  expect(JSON.parse(readFileSync(join(directory, "lock"), "utf8"))).toEqual(known(process.pid));
});

test.each([
  ["whose pid another process has got", { pid: process.pid, startTime: "1" }],
  ["that has ended", known(spawnSync(process.execPath, ["--version"]).pid)],
  ["that was killed before it had written who it is", ""],
])("a run %s has no lock", (_, lock) => {
  const { stderr, lock: taken } = acquire(lock);
  expect(stderr).toBe("");
  expect(taken).toEqual({ pid: expect.any(Number), startTime: expect.any(String) });
});

test("a process counts as running without /proc, which macOS lacks", () => {
  const ended = spawnSync(process.execPath, ["--version"]);
  expect(isRunning({ pid: process.pid })).toBe(true);
  expect(isRunning({ pid: 1 })).toBe(true);
  expect(isRunning({ pid: ended.pid })).toBe(false);
  expect(commandName(ended.pid)).toBeUndefined();
});
