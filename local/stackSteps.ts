import type { Progress } from "./progress";
import { type ConfigValues, LocalStack } from "./stack";
import type { Step, Steps } from "./steps";
import type { Toolchain } from "./toolchain";

export type Outputs = Record<string, string>;

/**
 * Steps that bring the stack up; Pulumi's own start goes beside the cluster's.
 * @param name the stack's
 * @param ready what has to be there before anything is declared
 */
export function addStack(
  steps: Steps,
  progress: Progress,
  name: string,
  toolchain: Step<Toolchain>,
  values: Step<ConfigValues>,
  ready: Step<unknown>[],
): Step<Outputs> {
  const engine = steps.add(
    "engine",
    { seconds: 8, cpuSeconds: 4 },
    [toolchain, values],
    async (report, programs, config) => {
      const opened = await LocalStack.open(name, programs, config, report);
      if (opened.usesStandIn) progress.say("with the stand-in for the official Kubernetes plugin");
      return opened;
    },
  );
  return steps.add(
    "stack",
    { seconds: 40, cpuSeconds: 50 },
    [engine, ...ready],
    async (report, opened) => {
      try {
        await opened.up(report);
        return (await opened.outputs()) as Outputs;
      } finally {
        opened.close();
      }
    },
  );
}
