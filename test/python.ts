import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { repository } from "../local/paths";

/** The service's Python package. */
export const service = join(repository, "docker/service");

/** A shell line that brings what its tests need: real Redis, PostgreSQL, nginx and Chromium, a
 * virtual environment. */
export const pythonSetup =
  "{ command -v redis-server && command -v nginx && ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null || " +
  "{ apt-get update -q; apt-get install -qy --no-install-recommends redis-server postgresql nginx; }; " +
  // Without it (Ubuntu has none) the playground's tests are skipped.
  "command -v chromium-headless-shell >/dev/null || " +
  "{ apt-get update -q; apt-get install -qy --no-install-recommends chromium-headless-shell " +
  "fonts-dejavu-core; } || true; " +
  "python3 -m venv .venv; .venv/bin/pip install --quiet --require-hashes -r requirements/dev.txt";

/**
 * Runs a benchmark's Python program, whose messages go to standard error.
 * @param setup of what it needs besides @param input for its standard input
 * @returns the JSON that it prints
 */
export async function measure<Result>(
  program: string,
  args: readonly string[] = [],
  { setup = ":", input = "" } = {},
): Promise<Result> {
  const path = `PYTHONPATH="${dirname(program)}:."`;
  const child = spawn(
    "sh",
    [
      "-euc",
      `{ ${pythonSetup}; ${setup}; } >&2; ${path} exec .venv/bin/python "$0" "$@"`,
      ...[program, ...args],
    ],
    { cwd: service, stdio: ["pipe", "pipe", "inherit"] },
  );
  child.stdin.end(input);
  const [printed, [status]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (status !== 0) throw new Error("the benchmark failed; its message stands above");
  return JSON.parse(printed) as Result;
}

/** Processes that share the tests, each with a Redis and a PostgreSQL of its own: most of them wait. */
export const sideBySide = ["-n", "4"];
