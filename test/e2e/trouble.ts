import type { Told } from "../../local/alerts";
import type { Status } from "../../local/status";

/** At once, beside each other. */
const atOnce = 8;
/** Alerts that it brings about. */
const own = ["NoWorker", "ArchiveFails", "RequestsShed"];
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The local stack without workers, its queue full and more requests coming, and its archive stopped.
 */
export class Trouble {
  /** When all of it was so. */
  began = 0;
  readonly #accepted: string[] = [];
  /** Alerts that others had brought about. */
  #before: string[] = [];
  #asking: Promise<void> | undefined;
  #over = false;

  constructor(
    private readonly stack: Status,
    private readonly kubectl: (...args: string[]) => Promise<string>,
    private readonly toldOf: (namespace: string) => Promise<Told[]>,
  ) {}

  async begin(): Promise<void> {
    // A stack that has only just come up has had no worker, either.
    do {
      await pause(1_000);
      this.#before = await this.alerts();
    } while (this.#before.some((name) => own.includes(name)));
    await this.#inNamespace("scale", "deployment/aigc-workers", "--replicas=0");
    // An operator who forgets to start it again.
    await this.#archive("stop");
    this.began = Date.now();
    this.#asking = this.#ask();
  }

  /** All is as before; a second time nothing is done. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#asking;
    await this.#archive("start");
    const left = [...this.#accepted];
    await side(atOnce, async () => {
      for (let id = left.pop(); id; id = left.pop()) await this.#call("DELETE", `tasks/${id}`);
    });
    // Else it would tell of what NoWorker no longer hides.
    while ((await this.alerts()).includes("RequestsShed")) await pause(1_000);
    await this.#inNamespace("scale", "deployment/aigc-workers", "--replicas=2");
  }

  /** What somebody was told since it began, and of it. */
  async told(): Promise<Told[]> {
    return (await this.toldOf(this.stack.namespace)).filter(
      ({ at, name }) => Date.parse(at) > this.began && !this.#before.includes(name),
    );
  }

  async statusesOf(alert: string): Promise<string[]> {
    return (await this.told()).filter(({ name }) => name === alert).map(({ status }) => status);
  }

  /** Names of alerts that Prometheus has. @param states by default those that fire or soon may */
  async alerts(states = ["pending", "firing"]): Promise<string[]> {
    const answer = await fetch(`${this.stack.prometheus}/api/v1/alerts`);
    const { data } = (await answer.json()) as {
      data: { alerts: { labels: { alertname: string }; state: string }[] };
    };
    return data.alerts
      .filter(({ state }) => states.includes(state))
      .map(({ labels }) => labels.alertname);
  }

  /** Fills the queue, and then is sent away again and again. */
  async #ask(): Promise<void> {
    let full = false;
    await side(atOnce, async () => {
      while (!full && !this.#over) full = (await this.#submit()) === "urn:problem:queue-full";
    });
    while (!this.#over) {
      await this.#submit();
      await pause(2_000);
    }
  }

  /** @returns why it was not accepted */
  async #submit(): Promise<string | undefined> {
    const body = { prompt: "one too many", width: 256, height: 256, steps: 1 };
    const { status, told } = await this.#call("POST", "generate", body);
    if (status !== 202) return told.type;
    this.#accepted.push(told.id as string);
    return undefined;
  }

  /** Within the rate limit. */
  async #call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; told: { id?: string; type?: string } }> {
    const { endpoint, apiKey } = this.stack;
    const answer = await fetch(`${endpoint}/api/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        prefer: "respond-async",
      },
      body: body && JSON.stringify(body),
    });
    const told = JSON.parse((await answer.text()) || "{}");
    if (told.type !== "urn:problem:rate-limited") return { status: answer.status, told };
    await pause(1_000);
    return this.#call(method, path, body);
  }

  /** https://pgbackrest.org/command.html#command-stop, and a segment that has to go there. */
  async #archive(command: "stop" | "start"): Promise<void> {
    const inPostgres = ["exec", "postgres-0", "--container=postgres", "--"];
    await this.#inNamespace(...inPostgres, "pgbackrest", command);
    await this.#inNamespace(
      ...inPostgres,
      "psql",
      "--username=aigc",
      "--command=SELECT pg_switch_wal()",
    );
  }

  #inNamespace(...args: string[]): Promise<string> {
    return this.kubectl("--namespace", this.stack.namespace, ...args);
  }
}

const side = (count: number, work: () => Promise<void>) =>
  Promise.all(Array.from({ length: count }, work));
