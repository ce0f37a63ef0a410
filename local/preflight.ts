import { existsSync, readFileSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { controllers } from "./cluster/cgroups";
import { UserError } from "./errors";
import { statusFile } from "./paths";

const gigabyte = 1e9;
const needed = { memory: 8 * gigabyte, disk: 25 * gigabyte };

/** Fails early, with the fix, on a machine that could not carry the stack to its end. */
export function preflight(): void {
  if (process.platform !== "linux") {
    throw new UserError(
      `the local cluster needs Linux, this is ${process.platform}`,
      "use a Linux machine or virtual machine, or name a cluster with --context",
    );
  }
  if (process.getuid?.() !== 0) {
    throw new UserError(
      `the local cluster needs root (this is uid ${process.getuid?.()})`,
      "run it as root: sudo npm run local",
    );
  }
  const missing = ["cpu", "memory", "pids"].filter((name) => !controllers().includes(name));
  if (missing.length > 0) {
    throw new UserError(
      `no cgroup controller ${missing.join(", ")} under /sys/fs/cgroup`,
      "start the machine or container with cgroups mounted (docker run --privileged --cgroupns=host)",
    );
  }
  if (totalmem() < needed.memory) {
    throw new UserError(
      `${(totalmem() / gigabyte).toFixed(1)} GB of memory, ${needed.memory / gigabyte} GB are needed`,
      "use a machine with more memory",
    );
  }
  const disk = statfsSync("/var/lib");
  const free = disk.bavail * disk.bsize;
  if (free < needed.disk && !existsSync(statusFile)) {
    throw new UserError(
      `${(free / gigabyte).toFixed(1)} GB free on the disk of /var/lib, ${needed.disk / gigabyte} GB are needed`,
      "free some space",
    );
  }
  if (!/overlay/.test(readFileSync("/proc/filesystems", "utf8"))) {
    throw new UserError("the kernel has no overlayfs", "load it: modprobe overlay");
  }
}
