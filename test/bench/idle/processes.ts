import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** A process of the local stack. */
export interface Process {
  /** UID of its pod; undefined: it is one of the node's own. */
  pod?: string;
  program: string;
  /** That it holds; of what several share, its part. */
  bytes: number;
}

/** @returns undefined if it has ended */
export function processOf(pid: number): Process | undefined {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
  try {
    const [argument = ""] = read("cmdline").split("\0");
    return {
      pod: podOf(read("cgroup")),
      program: basename(argument) || read("comm").trim(),
      bytes: held(read("smaps_rollup")),
    };
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** @param cgroup https://man7.org/linux/man-pages/man7/cgroups.7.html, /proc/pid/cgroup */
export const podOf = (cgroup: string): string | undefined =>
  /\/pod([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/.exec(cgroup)?.[1];

/**
 * What the kernel can't take back from a process: files that it maps can be read again.
 * @param rollup https://docs.kernel.org/filesystems/proc.html, /proc/pid/smaps_rollup
 */
export function held(rollup: string): number {
  const kibibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]);
  return 1024 * (kibibytes("Pss_Anon") + kibibytes("Pss_Shmem"));
}
