import type { UserError } from "../local/errors";
import { interrupt } from "../local/run";

/** Runs a command of this folder, and tells of a fault and its fix. */
export function main(command: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());
  command().catch((error: Error) => {
    if (interrupt.signal.aborted) {
      console.error("\nno longer watched; run it again to see how it goes on");
      process.exitCode = 130;
      return;
    }
    const { fix = "see --help" } = error as Partial<UserError>;
    console.error(`error: ${error.message}\nfix:   ${fix}`);
    process.exitCode = 1;
  });
}
