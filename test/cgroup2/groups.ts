import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const mount = "/sys/fs/cgroup";

export const read = (group: string, file: string) =>
  readFileSync(join(mount, group, file), "utf8").trim();

export const write = (group: string, file: string, text: string) =>
  writeFileSync(join(mount, group, file), text);

/** Names of the groups right below one. */
export const children = (group: string) =>
  readdirSync(join(mount, group), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** Paths of all groups below one. */
export const descendants = (group: string): string[] =>
  children(group).flatMap((name) => [join(group, name), ...descendants(join(group, name))]);

/** What a node could leave on a machine, in a form to compare. */
export function traces(): Record<string, string[]> {
  const lines = (file: string) => readFileSync(file, "utf8").trim().split("\n");
  return {
    groups: descendants("/"),
    mounts: lines("/proc/self/mountinfo").map((line) => line.split(" ").slice(4).join(" ")),
    links: readdirSync("/sys/class/net"),
    routes: lines("/proc/net/route"),
    processes: readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry) && existsSync(`/proc/${entry}/exe`))
      .map((entry) => readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " "))
      .sort(),
  };
}
