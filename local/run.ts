import { spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors";
import { logs } from "./paths";

/** Aborted by Ctrl-C; every command that runs gets SIGINT with it. */
export const interrupt = new AbortController();
// One for each command that runs: any number may.
setMaxListeners(0, interrupt.signal);

export interface RunOptions {
  cwd?: string;
  /** Laid over this process's environment; undefined takes a variable away. */
  env?: NodeJS.ProcessEnv;
  /** Standard input; empty by default. */
  input?: string;
  /** Keeps the whole output in log/NAME.log, which an error message then names. */
  log?: string;
  /**
   * Ends the command when it says nothing for so long: a registry that stopped answering.
   * Without it there is no limit.
   */
  quietSeconds?: number;
  /** Called with each chunk of output as it comes. */
  onOutput?: (chunk: string) => void;
}

export interface Result {
  /** 0 on success; null after a signal. */
  status: number | null;
  stdout: string;
  /** Standard output and standard error as they came. */
  output: string;
  /** Whether it was ended because it said nothing for `quietSeconds`. */
  stalled: boolean;
}

/** Runs a command to its end and reports how it ended, without throwing on failure. */
export function attempt(file: string, args: string[], options: RunOptions = {}): Promise<Result> {
  interrupt.signal.throwIfAborted();
  const log = options.log === undefined ? undefined : openLog(options.log);
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      // A group of its own: Ctrl-C reaches it through `interrupt` alone, once.
      detached: true,
    });
    const signal = (name: NodeJS.Signals) => {
      try {
        process.kill(-(child.pid as number), name);
      } catch (error) {
        // All of its group have ended, and its pipes are not closed yet.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    };
    const stop = () => signal("SIGINT");
    interrupt.signal.addEventListener("abort", stop);
    let stdout = "";
    let output = "";
    let stalled = false;
    const watchdog = setTimeout(
      () => {
        stalled = true;
        signal("SIGTERM");
      },
      (options.quietSeconds ?? 0) * 1_000,
    );
    if (options.quietSeconds === undefined) clearTimeout(watchdog);
    const collect = (chunk: string) => {
      output += chunk;
      if (options.quietSeconds !== undefined) watchdog.refresh();
      log?.write(chunk);
      options.onOutput?.(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      collect(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", collect);
    child.stdin.on("error", () => {}).end(options.input ?? "");
    const settle = (status: number | null) => {
      interrupt.signal.removeEventListener("abort", stop);
      clearTimeout(watchdog);
      log?.end();
      resolve({ status, stdout, output, stalled });
    };
    child.on("error", (error) => {
      collect(error.message);
      settle(127);
    });
    child.on("close", settle);
  });
}

/**
 * Runs a command to its end and returns its standard output.
 * @throws UserError that shows the last lines of its output
 */
export async function run(file: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, output, stalled } = await attempt(file, args, options);
  if (status === 0) return stdout;
  interrupt.signal.throwIfAborted();
  const tail = output.trim().split("\n").slice(-12).join("\n");
  const where = options.log === undefined ? "" : `; all output: ${logFile(options.log)}`;
  const command = [file, ...args.filter((arg) => !arg.startsWith("-")).slice(0, 3)].join(" ");
  throw stalled
    ? new UserError(
        `${command} … heard nothing from the network for ${options.quietSeconds} s:\n${tail}`,
        `check that the package registries answer, and run it again to go on from here${where}`,
      )
    : new UserError(
        `${command} … failed (exit ${status}):\n${tail}`,
        `run it again to go on from here${where}`,
      );
}

const logFile = (name: string) => join(logs, `${name}.log`);

function openLog(name: string) {
  mkdirSync(logs, { recursive: true });
  return createWriteStream(logFile(name));
}
