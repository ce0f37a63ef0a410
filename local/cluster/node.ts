import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { cache, nodeVar, state } from "../paths";
import { isRunning, type Known, known } from "../processes";
import type { Report } from "../progress";
import { attempt, run } from "../run";
import { addresses } from "./addresses";
import { cgroupProcesses, createCgroups, joinNodeCgroup, removeCgroups } from "./cgroups";

/**
 * The node is a set of namespaces (network, mount, process) held open by one sleeping process,
 * the namespace's pid 1. When that process ends the kernel ends every other process of the
 * node and drops its mounts and interfaces, so nothing can be left on the host.
 */
const holderFile = join(state, "node.json");
const link = { host: "image-service0", node: "eth0" };

/** The running node's first process, seen from the host. */
export function findHolder(): Known | undefined {
  if (!existsSync(holderFile)) return undefined;
  const holder = JSON.parse(readFileSync(holderFile, "utf8")) as Known;
  return isRunning(holder) ? holder : undefined;
}

/** Starts the node's namespaces, or keeps the running ones. */
export async function ensureNode(report: Report): Promise<void> {
  const running = findHolder();
  if (running) {
    // A crash may have come between the namespaces and their link.
    if (!existsSync(`/sys/class/net/${link.host}`)) await connect(running.pid);
    return;
  }
  report("starting its namespaces");
  await stopNode(); // what a start that was cut off may have left
  await checkLinkIsFree();
  mkdirSync(nodeVar, { recursive: true });
  createCgroups();
  const unshare = spawn(
    "sh",
    [
      "-euc",
      `${joinNodeCgroup()}; exec unshare --net --mount --pid --fork --mount-proc ` +
        "--propagation slave --kill-child=SIGKILL catatonit -P",
    ],
    { detached: true, stdio: "ignore" },
  );
  unshare.unref();
  const pid = await firstChild(unshare.pid as number);
  writeFileSync(holderFile, JSON.stringify(known(pid)));
  // /run and /var of its own: containerd, kubelet and CNI keep their usual paths. What containerd
  // stores outlives a reset, so that no image is loaded twice.
  const [store, mountPoint] = [join(cache, "containerd"), join(nodeVar, "lib/containerd")];
  mkdirSync(store, { recursive: true });
  mkdirSync(mountPoint, { recursive: true });
  await inNode(
    pid,
    "mount --make-rshared /; mount -t tmpfs tmpfs /run; " +
      `mount --bind '${store}' '${mountPoint}'; mount --rbind '${nodeVar}' /var`,
  );
  await connect(pid);
}

/** Ends the node and waits until the host is as it was. */
export async function stopNode(): Promise<void> {
  const holder = findHolder();
  // The holder takes all with it; a start that was cut off may have left others.
  for (const pid of [...(holder ? [holder.pid] : []), ...cgroupProcesses()]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // ended meanwhile
    }
  }
  while (holder && isRunning(holder)) await sleep(50);
  await attempt("ip", ["link", "delete", link.host]);
  for (let tries = 0; ; tries++) {
    try {
      removeCgroups();
      return;
    } catch (error) {
      // The kernel still takes the last processes out of their groups.
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

/** Runs a shell line inside the node and waits for it. */
export function inNode(pid: number, line: string): Promise<string> {
  return run("nsenter", ["--target", String(pid), "--mount", "--net", "--pid", "sh", "-euc", line]);
}

export interface NodeProcess {
  /** On the host. */
  pid: number;
  commandLine: string[];
}

/** Every process of the node, pods included. */
export function nodeProcesses(holder: Known): NodeProcess[] {
  const namespace = readlinkSync(`/proc/${holder.pid}/ns/pid`);
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        if (readlinkSync(`/proc/${entry}/ns/pid`) !== namespace) return [];
        const commandLine = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").slice(0, -1);
        return commandLine.length > 0 ? [{ pid: Number(entry), commandLine }] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}

async function connect(pid: number): Promise<void> {
  const inside = { netns: String(pid) };
  await attempt("ip", ["link", "delete", link.host]);
  await run("ip", [
    ...["link", "add", link.host, "type", "veth"],
    ...["peer", "name", link.node, "netns", inside.netns],
  ]);
  await run("ip", ["address", "add", `${addresses.host}/24`, "dev", link.host]);
  await run("ip", ["link", "set", link.host, "up"]);
  // Lets this machine, and only it, reach Services by their cluster address.
  await run("ip", ["route", "add", addresses.services, "via", addresses.node]);
  await inNode(
    pid,
    [
      "ip link set lo up",
      `ip address add ${addresses.node}/24 dev ${link.node}`,
      `ip link set ${link.node} up`,
      `ip route replace default via ${addresses.host}`,
      "sysctl -qw net.ipv4.ip_forward=1",
      "sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true",
    ].join("; "),
  );
}

async function checkLinkIsFree(): Promise<void> {
  for (const range of [addresses.link, addresses.services]) {
    const routes = await run("ip", ["-o", "route", "show", "to", "root", range]);
    const taken = routes.split("\n").find((route) => route && !route.includes(link.host));
    if (taken) {
      throw new UserError(
        `the address range ${range} is taken on this machine: ${taken.trim()}`,
        "remove that route, or name another cluster with --context",
      );
    }
  }
}

async function firstChild(pid: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    if (children) return Number(children.split(" ")[0]);
    await sleep(20);
  }
  throw new UserError(
    "the node's namespaces could not be made",
    "check that the kernel allows them: unshare --net --mount --pid --fork true",
  );
}
