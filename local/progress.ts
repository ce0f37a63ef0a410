/** Says what a step is doing now. */
export type Report = (doing: string) => void;

/** A step that had something to do. */
export interface Phase {
  name: string;
  /** Wall-clock time. */
  seconds: number;
}

interface Running {
  started: number;
  expectedSeconds: number;
  doing: string | undefined;
}

/** Seconds that went as expected before any has been measured: a few short steps prove little. */
const prior = 60;
const interval = { terminal: 1_000, log: 30_000 };

/**
 * Shows on standard error what runs side by side and how long all of it will take: a line that
 * counts on a terminal, one line every 30 s in a log, and a line for each step that did something.
 */
export class Progress {
  readonly phases: Phase[] = [];
  readonly #running = new Map<string, Running>();
  readonly #started = Date.now();
  #remaining = () => 0;
  /** Of the steps that have ended. */
  #seconds = { measured: 0, expected: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  /** @param remaining seconds that are still to come, as far as known before */
  start(remaining: () => number): void {
    this.#remaining = remaining;
    this.#timer = setInterval(
      () => this.#show(),
      this.stream.isTTY ? interval.terminal : interval.log,
    );
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.stream.isTTY) this.stream.write("\r\x1b[2K");
  }

  /** Runs one step; it had nothing to do when it reports nothing. */
  async step<Value>(
    name: string,
    expectedSeconds: number,
    work: (report: Report) => Promise<Value>,
  ): Promise<Value> {
    const running: Running = { started: Date.now(), expectedSeconds, doing: undefined };
    this.#running.set(name, running);
    try {
      const value = await work((doing) => {
        running.doing = doing;
      });
      if (running.doing !== undefined) this.#done(name, running);
      return value;
    } finally {
      this.#running.delete(name);
    }
  }

  /** A line that stays. */
  say(text: string): void {
    const line = `${duration(this.#elapsed).padStart(6)}  ${text}`;
    this.stream.write(`${this.stream.isTTY ? "\r\x1b[2K" : ""}${line}\n`);
  }

  #done(name: string, { started, expectedSeconds }: Running): void {
    const seconds = (Date.now() - started) / 1_000;
    this.phases.push({ name, seconds: Math.round(seconds * 10) / 10 });
    this.#seconds.measured += seconds;
    this.#seconds.expected += expectedSeconds;
    this.say(`${name} done in ${duration(seconds)}`);
  }

  #show(): void {
    const total = this.#elapsed + this.#remaining() * this.#pace;
    const steps = [...this.#running].map(
      ([name, { started, doing }]) =>
        `${name}${doing ? `: ${doing}` : ""} ${duration((Date.now() - started) / 1_000)}`,
    );
    const line = `${duration(this.#elapsed).padStart(6)} of about ${duration(total)}  ${steps.join(" | ")}`;
    this.stream.write(
      this.stream.isTTY ? `\r\x1b[2K${line.slice(0, this.stream.columns - 1)}` : `${line}\n`,
    );
  }

  get #elapsed(): number {
    return (Date.now() - this.#started) / 1_000;
  }

  /** How much slower this machine is than the one the expectations come from. */
  get #pace(): number {
    const { measured, expected } = this.#seconds;
    return (measured + prior) / (expected + prior);
  }
}

/** 75 → "1:15", 4.21 → "4.2 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const rounded = Math.round(seconds);
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, "0")}`;
}
