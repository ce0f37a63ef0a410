import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const mount = "/sys/fs/cgroup";
/** All that the local stack runs lies under this group: kubelet's pods and the node's own parts. */
export const cgroupRoot = "/image-service";
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

export function createCgroups(): void {
  if (isV2()) {
    const enable = controllers()
      .map((name) => `+${name}`)
      .join(" ");
    writeFileSync(join(mount, "cgroup.subtree_control"), enable);
    mkdirSync(join(mount, cgroupRoot), { recursive: true });
    writeFileSync(join(mount, cgroupRoot, "cgroup.subtree_control"), enable);
    mkdirSync(join(mount, cgroupRoot, "node"), { recursive: true });
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

/** A shell line that puts the shell, and so all that it starts, under the node's group. */
export function joinNodeCgroup(): string {
  return hierarchies()
    .map((hierarchy) => `echo 0 >${join(hierarchy, cgroupRoot, "node", "cgroup.procs")}`)
    .join("; ");
}

/** Bytes that the whole local stack holds: node, control plane and pods, page cache left out. */
export function memoryBytes(): number {
  const directory = join(isV2() ? mount : join(mount, "memory"), cgroupRoot);
  const stat = readFileSync(join(directory, "memory.stat"), "utf8");
  const names = isV2() ? ["anon", "kernel", "shmem"] : ["total_rss", "total_shmem"];
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
  const own = readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  const children = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => processesUnder(join(directory, entry.name)));
  return [...own.map(Number), ...children];
}

/** Deletes our groups, deepest first; their processes must have ended. */
export function removeCgroups(): void {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, cgroupRoot));
  // Beside v1's hierarchies kubelet makes its groups in the one without controllers, too.
  if (!isV2()) removeTree(join(mount, "unified", cgroupRoot));
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}
