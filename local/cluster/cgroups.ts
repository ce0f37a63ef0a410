import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";

const mount = "/sys/fs/cgroup";
/** All that the local stack runs lies under this group: kubelet's pods and the node's own parts. */
export const cgroupRoot = "/image-service";
/** Under v2 in a container: what ran in its root before. */
const displaced = "/image-service-displaced";
/**
 * Under v2: kubelet refuses a group that lacks one of these which the root has, io aside, which
 * holds statistics (getSupportedUnifiedControllers in
 * https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/cm/cgroup_v2_manager_linux.go).
 */
const delegated = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids"];
const isV2 = () => existsSync(join(mount, "cgroup.controllers"));

/** The resource controllers this machine offers, under cgroup v1 or v2. */
export function controllers(): string[] {
  if (isV2()) return readFileSync(join(mount, "cgroup.controllers"), "utf8").trim().split(" ");
  if (!existsSync(mount)) return [];
  return readdirSync(mount).filter((name) => existsSync(join(mount, name, "cgroup.procs")));
}

/** One hierarchy a controller under v1 ("unified" carries none), a single one under v2. */
function hierarchies(): string[] {
  if (isV2()) return [mount];
  return controllers()
    .filter((name) => name !== "unified")
    .map((name) => join(mount, name));
}

/** Whether groups can be made: containers without privileges see them read-only. */
export function cgroupsWritable(): boolean {
  try {
    for (const hierarchy of hierarchies()) accessSync(hierarchy, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws UserError where the kernel refuses to delegate controllers */
export function createCgroups(): void {
  if (isV2()) {
    createV2();
    return;
  }
  for (const hierarchy of hierarchies()) {
    for (const group of [cgroupRoot, join(cgroupRoot, "node")]) {
      const directory = join(hierarchy, group);
      mkdirSync(directory, { recursive: true });
      // A new v1 cpuset is empty and refuses processes until it names its CPUs and memory nodes.
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        const parent = join(directory, "..", file);
        if (existsSync(parent)) writeFileSync(join(directory, file), readFileSync(parent, "utf8"));
      }
    }
  }
}

function createV2(): void {
  const enable = controllers()
    .filter((name) => delegated.includes(name))
    .map((name) => `+${name}`)
    .join(" ");
  displaceProcesses();
  for (const group of ["/", cgroupRoot]) {
    mkdirSync(join(mount, group), { recursive: true });
    try {
      writeFileSync(join(mount, group, "cgroup.subtree_control"), enable);
    } catch (error) {
      throw new UserError(
        `the kernel doesn't delegate cgroup controllers (${enable}): ${(error as Error).message}`,
        // EINVAL: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu
        "EBUSY: start the container with docker run --privileged --cgroupns=host; " +
          "EINVAL: end the realtime processes that ps -eo pid,cls,cgroup,args shows as FF or RR",
      );
    }
  }
  mkdirSync(join(mount, cgroupRoot, "node"), { recursive: true });
}

/**
 * Only the machine's own root may have processes beside groups with controllers. A container's root
 * has them, so they move aside, as Docker-in-Docker moves them
 * (https://github.com/moby/moby/blob/v28.0.0/hack/dind,
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint).
 */
function displaceProcesses(): void {
  const isMachineRoot = !existsSync(join(mount, "cgroup.type"));
  if (isMachineRoot || processesOf(mount).length === 0) return;
  mkdirSync(join(mount, displaced), { recursive: true });
  moveProcesses(mount, join(mount, displaced));
}

/** Unless others have made groups meanwhile, which may need what the root delegates by now. */
function returnProcesses(): void {
  const group = join(mount, displaced);
  if (!existsSync(group) || subdirectories(mount).some((other) => other !== group)) return;
  const control = join(mount, "cgroup.subtree_control");
  const enabled = readFileSync(control, "utf8").trim();
  if (enabled) writeFileSync(control, enabled.replace(/(^| )/g, "$1-"));
  moveProcesses(group, mount);
  rmdirSync(group);
}

function moveProcesses(from: string, to: string): void {
  // Again and again, for what was forked meanwhile.
  for (let tries = 0; tries < 100 && processesOf(from).length > 0; tries++) {
    for (const pid of processesOf(from)) {
      try {
        writeFileSync(join(to, "cgroup.procs"), String(pid));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // ended meanwhile
      }
    }
  }
}

/** A shell line that puts the shell, and so all that it starts, under the node's group. */
export function joinNodeCgroup(): string {
  return hierarchies()
    .map((hierarchy) => `echo 0 >${join(hierarchy, cgroupRoot, "node", "cgroup.procs")}`)
    .join("; ");
}

/** Bytes that the processes of node, control plane and pods hold; the kernel's caches left out. */
export function memoryBytes(): number {
  const directory = join(isV2() ? mount : join(mount, "memory"), cgroupRoot);
  const stat = readFileSync(join(directory, "memory.stat"), "utf8");
  const names = isV2() ? ["anon", "shmem"] : ["total_rss", "total_shmem"];
  return names.reduce((sum, name) => {
    const value = new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1];
    return sum + Number(value ?? 0);
  }, 0);
}

/** Every process under our groups, pids as the host sees them. */
export function cgroupProcesses(): number[] {
  const trees = hierarchies().map((hierarchy) => join(hierarchy, cgroupRoot));
  return [...new Set(trees.filter((tree) => existsSync(tree)).flatMap(processesUnder))];
}

function processesUnder(directory: string): number[] {
  try {
    return [...processesOf(directory), ...subdirectories(directory).flatMap(processesUnder)];
  } catch (error) {
    // The group has gone meanwhile, or is a threaded one, whose processes the one above it lists.
    if (["ENOENT", "ENODEV", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return [];
    }
    throw error;
  }
}

/** Those right in a group. 0 is one outside of this process namespace; to kill(2) it means ourselves. */
const processesOf = (directory: string): number[] =>
  readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").map(Number).filter(Boolean);

const subdirectories = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name));

/** Deletes our groups, deepest first, and puts others' processes back; ours must have ended. */
export function removeCgroups(): void {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, cgroupRoot));
  if (isV2()) {
    returnProcesses();
    return;
  }
  // Beside v1's hierarchies kubelet makes its groups in the one without controllers, too.
  removeTree(join(mount, "unified", cgroupRoot));
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const child of subdirectories(directory)) removeTree(child);
  rmdirSync(directory);
}
