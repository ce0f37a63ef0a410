import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors";
import { state } from "./paths";
import { isRunning, type Known, known } from "./processes";

const file = join(state, "lock");

/** Lets one run at a time change the local stack; a lock of a killed run counts for nothing. */
export function acquireLock(): void {
  mkdirSync(state, { recursive: true });
  const owner = read();
  if (owner && isRunning(owner)) {
    throw new UserError(
      `another npm run local is at work (pid ${owner.pid})`,
      `wait for it to end, or end it: kill ${owner.pid}`,
    );
  }
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify(known(process.pid)), { flag: "wx" });
  process.on("exit", () => rmSync(file, { force: true }));
}

/** @returns undefined where there is none, or one that was cut off */
function read(): Known | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Known;
  } catch {
    return undefined;
  }
}
