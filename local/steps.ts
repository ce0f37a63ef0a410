import { availableParallelism } from "node:os";
import type { Progress, Report } from "./progress";
import { interrupt } from "./run";

/** What a step costs on an idle machine of two cores. */
export interface Cost {
  /** Wall-clock time when nothing runs beside it. */
  seconds: number;
  /** Processor time, summed over cores; none is downloads and waiting. */
  cpuSeconds: number;
}

/** A step, and how far it is. */
export interface Planned {
  cost: Cost;
  needs: readonly Planned[];
  /** 0 before its start, 1 at its end. */
  fraction: number;
}

/** A piece of work in a set-up; steps that need nothing of each other run side by side. */
export interface Step<Value> extends Planned {
  name: string;
  needs: readonly Step<unknown>[];
  /** Set once it runs. */
  running?: { since: number; expectedSeconds: number };
  /** Set once it has ended. */
  value?: Value;
  work: (report: Report) => Promise<Value>;
}

type Values<Needs> = {
  [Index in keyof Needs]: Needs[Index] extends Step<infer Value> ? Value : never;
};

/** Steps and what each needs of others. */
export class Steps {
  readonly #steps: Step<unknown>[] = [];

  /**
   * Adds a step; nothing runs before `run`.
   * @param work gets the values of `needs`; calls `report` unless all it makes is there already
   */
  add<Value, const Needs extends readonly Step<unknown>[]>(
    name: string,
    cost: Cost,
    needs: Needs,
    work: (report: Report, ...values: Values<Needs>) => Promise<Value>,
  ): Step<Value> {
    const step: Step<Value> = {
      name,
      cost,
      needs,
      fraction: 0,
      work: (report) => work(report, ...(needs.map((need) => need.value) as Values<Needs>)),
    };
    this.#steps.push(step);
    return step;
  }

  /** Runs all steps, each as soon as what it needs is there. The first failure ends the others. */
  async run(progress: Progress): Promise<void> {
    progress.start(() => remainingSeconds(this.#advanced()));
    const endings = new Map<Step<unknown>, Promise<void>>();
    for (const step of this.#steps) {
      const needs = step.needs.map((need) => endings.get(need));
      const ending = Promise.all(needs).then(async () => {
        interrupt.signal.throwIfAborted();
        const expectedSeconds = finishSeconds(this.#advanced()).get(step) as number;
        step.running = { since: Date.now(), expectedSeconds };
        step.value = await progress.step(step.name, expectedSeconds, step.work);
        step.fraction = 1;
      });
      // Those that run are ended by it; waiting for them below leaves nothing half done.
      ending.catch((error) => interrupt.abort(error));
      endings.set(step, ending);
    }
    await Promise.allSettled(endings.values());
    progress.stop();
    interrupt.signal.throwIfAborted();
  }

  /** The steps, with the fractions of those that run as of now. */
  #advanced(): readonly Planned[] {
    for (const step of this.#steps) {
      if (!step.running || step.fraction === 1) continue;
      const seconds = (Date.now() - step.running.since) / 1_000;
      // Never quite done before it is.
      step.fraction = Math.min(seconds / step.running.expectedSeconds, 0.95);
    }
    return this.#steps;
  }
}

/** Wall-clock seconds until all of them have ended. */
export const remainingSeconds = (steps: readonly Planned[], cores = availableParallelism()) =>
  Math.max(0, ...finishSeconds(steps, cores).values());

/** When each unfinished step will end, seconds from now: running ones share the processors. */
function finishSeconds(
  steps: readonly Planned[],
  cores = availableParallelism(),
): Map<Planned, number> {
  const left = new Map(
    steps
      .filter(({ fraction }) => fraction < 1)
      .map((step) => [step, step.cost.seconds * (1 - step.fraction)]),
  );
  const finish = new Map<Planned, number>();
  for (let now = 0; left.size > 0; ) {
    const running = [...left.keys()].filter((step) => !step.needs.some((need) => left.has(need)));
    const wanted = running.reduce((sum, { cost }) => sum + cost.cpuSeconds / cost.seconds, 0);
    const speed = Math.min(1, cores / wanted);
    const interval = Math.min(...running.map((step) => left.get(step) as number)) / speed;
    now += interval;
    for (const step of running) {
      const rest = (left.get(step) as number) - interval * speed;
      left.set(step, rest);
      if (rest > 1e-6) continue;
      left.delete(step);
      finish.set(step, now);
    }
  }
  return finish;
}
