import { keepOutputs, type Outputs, unchangedOutputs } from "./lastUp";
import type { Progress } from "./progress";
import { type ConfigValues, checkpointOf, LocalStack } from "./stack";
import type { Step, Steps } from "./steps";
import type { Toolchain } from "./toolchain";

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
  const checkpoint = checkpointOf(name);
  const engine = steps.add(
    "engine",
    { seconds: 8, cpuSeconds: 4 },
    [toolchain, values],
    async (report, programs, config) => {
      const outputs = unchangedOutputs(name, config, checkpoint);
      if (outputs) return outputs;
      const opened = await LocalStack.open(name, programs, config, report);
      if (opened.usesStandIn) progress.say("with the stand-in for the official Kubernetes plugin");
      return opened;
    },
  );
  return steps.add(
    "stack",
    { seconds: 40, cpuSeconds: 50 },
    [engine, values, ...ready],
    async (report, opened, config) => {
      if (!(opened instanceof LocalStack)) return opened;
      try {
        await opened.up(report);
        const outputs = (await opened.outputs()) as Outputs;
        keepOutputs(name, config, checkpoint, outputs);
        return outputs;
      } finally {
        opened.close();
      }
    },
  );
}
