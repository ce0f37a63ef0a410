import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors";
import { state } from "./paths";

const file = join(state, "lock");

/** Whether a process is there, on any system. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}

/** Lets one run at a time change the local stack; a lock of a killed run counts for nothing. */
export function acquireLock(): void {
  mkdirSync(state, { recursive: true });
  if (existsSync(file)) {
    const pid = readFileSync(file, "utf8");
    if (isRunning(Number(pid))) {
      throw new UserError(
        `another npm run local is at work (pid ${pid})`,
        `wait for it to end, or end it: kill ${pid}`,
      );
    }
    rmSync(file);
  }
  const descriptor = openSync(file, "wx");
  writeSync(descriptor, String(process.pid));
  closeSync(descriptor);
  process.on("exit", () => rmSync(file, { force: true }));
}
