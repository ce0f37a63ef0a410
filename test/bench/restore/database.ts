import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { attempt, type Result, run } from "../../../local/run";
import { archivedDatabase } from "../../vendors/archivedDatabase";
import type { GoldenPod } from "../../vendors/pod";

/** Runs what is declared until a file says by which signal it has to end. */
const served = `
"$@" 2>/tmp/postgres.log &
until [ -s /tmp/end ]; do
  kill -0 $! || { cat /tmp/postgres.log; exit 1; }
  sleep 0.1
done
signal=$(cat /tmp/end)
rm /tmp/end
case $signal in
  KILL) kill -KILL -1 ;;
  INT) kill -INT $! && wait $! ;;
esac`;

/** PostgreSQL's pod as the local stack declares it, with its archive, for programs of this machine. */
export class Database {
  readonly #pod: GoldenPod;
  #running: { end: Promise<Result> } | undefined;
  /** Laid over what its containers have. */
  env: Record<string, string> = {};

  /** @param image of the local stack, in place of its own */
  constructor(image?: string) {
    this.#pod = archivedDatabase("", image);
  }

  /** Where its socket lies on this machine. */
  get socket(): string {
    return this.#pod.volume("socket");
  }

  /** For libpq and the service: its socket is no network's. */
  get url(): string {
    return `postgresql://aigc@/aigc?host=${this.socket}`;
  }

  /** As a new pod does. @param options of PostgreSQL's, over those that are declared */
  async start(...options: string[]): Promise<void> {
    const failed = await this.#pod.prepare(this.env);
    if (failed) throw new Error(failed.output);
    const { command } = this.#pod.container;
    const words = ["bash", "--norc", "-c", served, "bash", ...command, ...options];
    this.#running = { end: this.#pod.command(words, this.env) };
    const ended = this.#running.end.then(({ output }) => {
      throw new Error(output);
    });
    // Only until it answers.
    ended.catch(() => {});
    while ((await attempt("psql", [this.url, "--command=select"])).status !== 0) {
      await Promise.race([pause(100), ended]);
    }
  }

  /** Ends all of the pod: INT as Kubernetes does, KILL as the loss of a node. */
  async end(signal: "INT" | "KILL"): Promise<void> {
    writeFileSync(join(this.#pod.volume("tmp"), "end"), signal);
    await this.#running?.end;
    this.#running = undefined;
  }

  loseVolume(): void {
    const data = this.#pod.volume("data");
    for (const entry of readdirSync(data)) rmSync(join(data, entry), { recursive: true });
  }

  /** Bytes that its volume has in use. */
  async used(): Promise<number> {
    const blocks = await run("du", ["--summarize", "--bytes", this.#pod.volume("data")]);
    return Number.parseInt(blocks, 10);
  }

  /** @returns the first row, its columns with | between them */
  async sql(statement: string): Promise<string> {
    const options = ["--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return (await run("psql", [this.url, ...options, `--command=${statement}`])).trim();
  }

  /** Runs a program of its image, where PostgreSQL runs. */
  async order(program: string): Promise<void> {
    await this.sql(`copy (select) to program 'cat >/dev/null; ${program} >&2'`);
  }

  /** @returns what a program of its image says, run where PostgreSQL runs */
  tell(program: string): Promise<string> {
    return this.sql(`create temporary table said (line text);
      copy said from program '${program}' with (format csv, delimiter e'\\x01');
      select line from said`);
  }

  /** Names of what lies in its volume. */
  files(): string[] {
    return readdirSync(this.#pod.volume("data")).sort();
  }

  /** Writes a file into its volume. */
  write(name: string, text: string): void {
    writeFileSync(join(this.#pod.volume("data"), name), text);
  }

  async close(): Promise<void> {
    if (this.#running) await this.end("KILL");
    this.#pod.close();
  }
}
