/** Says what a phase is doing now and about how long it will take. */
export type Report = (step: string, expectedSeconds?: number) => void;

export interface Phase {
  name: string;
  /** Wall-clock time. */
  seconds: number;
  /** Whether everything was there already. */
  cached: boolean;
}

const interval = { terminal: 1_000, log: 30_000 };

/** Shows phases on standard error: a line that counts on a terminal, one line every 30 s in a log. */
export class Progress {
  readonly phases: Phase[] = [];
  readonly #started = Date.now();

  constructor(
    private readonly total: number,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  /** Runs one phase; `work` returns whether everything was there already. */
  async phase(
    name: string,
    expectedSeconds: number,
    work: (report: Report) => Promise<boolean>,
  ): Promise<void> {
    const position = `[${this.phases.length + 1}/${this.total}]`;
    const started = Date.now();
    let step = "";
    let stepStarted = started;
    let expected = expectedSeconds;
    const show = (ending: string) => {
      const line = `${position} ${name}${step && `: ${step}`}  ${elapsed(stepStarted)} of about ${duration(expected)}`;
      this.stream.write(`${this.stream.isTTY ? "\r\x1b[2K" : ""}${line}${ending}`);
    };
    const ending = this.stream.isTTY ? "" : "\n";
    const timer = setInterval(
      () => show(ending),
      this.stream.isTTY ? interval.terminal : interval.log,
    );
    try {
      const cached = await work((nextStep, seconds = expectedSeconds) => {
        step = nextStep;
        expected = seconds;
        stepStarted = Date.now();
        show(ending);
      });
      const seconds = (Date.now() - started) / 1_000;
      this.phases.push({ name, seconds: Math.round(seconds * 10) / 10, cached });
      const done = `${position} ${name}  ${cached ? "ready" : "done"} in ${elapsed(started)}, ${elapsed(this.#started)} in all`;
      this.stream.write(`${this.stream.isTTY ? "\r\x1b[2K" : ""}${done}\n`);
    } finally {
      clearInterval(timer);
    }
  }
}

const elapsed = (since: number) => duration((Date.now() - since) / 1_000);

/** 75 → "1:15", 4.21 → "4.2 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const rounded = Math.round(seconds);
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, "0")}`;
}
