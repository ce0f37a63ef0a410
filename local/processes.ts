import { readFileSync } from "node:fs";

// Pids are used again: a process is known by when it started, too.

/** A process that something was written down for. */
export interface Known {
  pid: number;
  /** Field 22 of /proc/PID/stat; left out where there is no /proc, as on macOS. */
  startTime?: string;
}

export const known = (pid: number): Known => ({ pid, startTime: startTime(pid) });

/** Whether that process is still there, and no later one with its pid. */
export const isRunning = ({ pid, startTime: started }: Known): boolean =>
  started === undefined ? isThere(pid) : startTime(pid) === started;

/** @returns undefined of a process that has ended, or can't be seen */
function startTime(pid: number): string | undefined {
  try {
    // The second field, the name in parentheses, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
    // It stays a zombie where a container's first process reaps nothing.
    return fields?.[0] === "Z" ? undefined : fields?.[19];
  } catch {
    return undefined;
  }
}

/** A process's program, as the kernel names it; undefined where it can't tell. */
export function commandName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}
