import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the whole machine used between a start and a stop; on an idle one, what ran between. */
export interface Used {
  /** Summed over cores. */
  cpuSeconds: number;
  /** By all interfaces but loopback and the local cluster's. */
  receivedBytes: number;
  /** More than at the start. */
  peakDiskBytes: number;
  /** More than at the start, page cache left out. */
  peakMemoryBytes: number;
}

interface Sample {
  cpuSeconds: number;
  receivedBytes: number;
  diskBytes: number;
  memoryBytes: number;
}

const ticksPerSecond = 100;

/** Watches from a process of its own, since what is measured keeps this one waiting. */
export class Usage {
  private constructor(
    private readonly watcher: ChildProcess,
    private readonly file: string,
  ) {}

  /** @param directory on the disk that is watched */
  static async start(directory: string): Promise<Usage> {
    const file = join(directory, "usage.json");
    const watcher = spawn(process.execPath, ["--import", "tsx", __filename, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(watcher.stdout as NodeJS.ReadableStream, "data");
    return new Usage(watcher, file);
  }

  async stop(): Promise<Used> {
    this.watcher.kill();
    await once(this.watcher, "exit");
    return JSON.parse(readFileSync(this.file, "utf8")) as Used;
  }
}

function sample(directory: string): Sample {
  const [, ...ticks] = (readFileSync("/proc/stat", "utf8").split("\n")[0] as string).split(/\s+/);
  const [user, nice, system, , , interrupts, softInterrupts] = ticks.map(Number) as number[];
  const busy = [user, nice, system, interrupts, softInterrupts] as number[];
  const interfaces = readFileSync("/proc/net/dev", "utf8").matchAll(/^\s*(\S+):\s*(\d+)/gm);
  const received = [...interfaces].filter(
    ([, name]) => !/^(lo|image-service)/.test(name as string),
  );
  const memory = readFileSync("/proc/meminfo", "utf8");
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(memory)?.[1]);
  const disk = statfsSync(directory);
  return {
    cpuSeconds: sum(busy) / ticksPerSecond,
    receivedBytes: sum(received.map(([, , bytes]) => Number(bytes))),
    diskBytes: (disk.blocks - disk.bfree) * disk.bsize,
    memoryBytes: (kilobytes("MemTotal") - kilobytes("MemAvailable")) * 1_024,
  };
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

function watch(file: string): void {
  const directory = dirname(file);
  const first = sample(directory);
  const peak = { ...first };
  const look = (): Sample => {
    const now = sample(directory);
    peak.diskBytes = Math.max(peak.diskBytes, now.diskBytes);
    peak.memoryBytes = Math.max(peak.memoryBytes, now.memoryBytes);
    return now;
  };
  setInterval(look, 500);
  process.on("SIGTERM", () => {
    const last = look();
    const used: Used = {
      cpuSeconds: last.cpuSeconds - first.cpuSeconds,
      receivedBytes: last.receivedBytes - first.receivedBytes,
      peakDiskBytes: peak.diskBytes - first.diskBytes,
      peakMemoryBytes: peak.memoryBytes - first.memoryBytes,
    };
    writeFileSync(file, JSON.stringify(used));
    process.exit();
  });
  console.log("watching");
}

if (require.main === module) watch(process.argv[2] as string);
