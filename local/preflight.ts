import { existsSync, readFileSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { cgroupsWritable, controllers } from "./cluster/cgroups";
import { UserError } from "./errors";
import { builtBefore } from "./images";
import { statusFile } from "./paths";

/** What of this machine decides whether it can carry the stack. */
export interface Machine {
  platform: string;
  uid: number | undefined;
  /** cgroup controllers. */
  controllers: string[];
  cgroupsWritable: boolean;
  /** Bytes. */
  memory: number;
  /** Free bytes where the state lies; undefined once the stack has taken its share. */
  disk: number | undefined;
  /** An earlier set-up has left what it built. */
  builtBefore: boolean;
  overlayfs: boolean;
}

const gigabyte = 1e9;
const needed = { controllers: ["cpu", "memory", "pids"], memory: 8, disk: 30, diskOnceBuilt: 10 };

/**
 * Fails early on a machine that could not carry the stack to its end.
 * @throws UserError with what is missing and the fix
 */
export function preflight(machine: Machine = thisMachine()): void {
  if (machine.platform !== "linux") {
    throw new UserError(
      `the local cluster needs Linux, this is ${machine.platform}`,
      "use a Linux machine or virtual machine, or name a cluster with --context",
    );
  }
  if (machine.uid !== 0) {
    throw new UserError(
      `the local cluster needs root (this is uid ${machine.uid})`,
      "run it as root: sudo npm run local",
    );
  }
  const missing = needed.controllers.filter((name) => !machine.controllers.includes(name));
  if (missing.length > 0) {
    throw new UserError(
      `no cgroup controller ${missing.join(", ")} under /sys/fs/cgroup`,
      "mount cgroups, give them to this container (docker run --privileged), or boot with them (a Raspberry Pi: cgroup_enable=memory in cmdline.txt)",
    );
  }
  if (!machine.cgroupsWritable) {
    throw new UserError(
      "/sys/fs/cgroup is read-only",
      "start the container with docker run --privileged",
    );
  }
  if (machine.memory < needed.memory * gigabyte) {
    throw new UserError(
      `${(machine.memory / gigabyte).toFixed(1)} GB of memory, ${needed.memory} GB are needed`,
      "use a machine with more memory",
    );
  }
  const disk = machine.builtBefore ? needed.diskOnceBuilt : needed.disk;
  if (machine.disk !== undefined && machine.disk < disk * gigabyte) {
    throw new UserError(
      `${(machine.disk / gigabyte).toFixed(1)} GB free on the disk of /var/lib, ${disk} GB are needed`,
      "free some space",
    );
  }
  if (!machine.overlayfs) {
    throw new UserError("the kernel has no overlayfs", "load it: modprobe overlay");
  }
}

function thisMachine(): Machine {
  const disk = statfsSync("/var/lib");
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    controllers: controllers(),
    cgroupsWritable: cgroupsWritable(),
    memory: totalmem(),
    disk: existsSync(statusFile) ? undefined : disk.bavail * disk.bsize,
    builtBefore: builtBefore(),
    overlayfs: /overlay/.test(readFileSync("/proc/filesystems", "utf8")),
  };
}
