import { knownModels } from "../groups/models";
import { keyArgument } from "../keyPath";
import { type Rule, repeated, rule } from "./rule";

export const modelRules: Rule[] = [
  rule(["workers", "models"], ({ workers: { model }, models: { revision } }) => [
    model === knownModels.tiny &&
      revision !== "" && {
        key: "models.revision",
        is: JSON.stringify(revision),
        but: `means nothing for workers.model ${model}`,
        fix: "rm --path models.revision",
      },
  ]),
  rule(["workers", "models"], ({ workers, models: { sampling } }) => {
    const drawn = [workers, ...workers.pools, workers.canary].map(({ model }) => model);
    const key = (at: number, name: string) => `models.sampling[${at}].${name}`;
    const set = (at: number, name: string, value: string | number) =>
      `set ${keyArgument(["models", "sampling", at, name])} ${value}`;
    return sampling.flatMap(({ model, ...it }, at) => [
      !drawn.includes(model) && {
        key: key(at, "model"),
        is: JSON.stringify(model),
        but: "no worker draws with it",
        fix: set(at, "model", drawn[0] as string),
      },
      sampling.findIndex((other) => other.model === model) < at && {
        key: key(at, "model"),
        is: JSON.stringify(model),
        but: "was said before",
        fix: `rm ${keyArgument(["models", "sampling", at])}`,
      },
      it.steps > it.maxSteps && {
        key: key(at, "steps"),
        is: `${it.steps}`,
        but: `is more than its maxSteps, ${it.maxSteps}`,
        fix: set(at, "steps", it.maxSteps),
      },
      it.guidanceScale > it.maxGuidanceScale && {
        key: key(at, "guidanceScale"),
        is: `${it.guidanceScale}`,
        but: `is more than its maxGuidanceScale, ${it.maxGuidanceScale}`,
        fix: set(at, "guidanceScale", it.maxGuidanceScale),
      },
    ]);
  }),
  rule(["models"], ({ models: { loras } }) =>
    repeated(loras.map(({ name }) => name)).map((name) => ({
      key: "models.loras",
      is: `not told apart by the name ${name}`,
      but: "requests and files have no other",
      fix: `set ${keyArgument(["models", "loras", loras.findLastIndex((lora) => lora.name === name), "name"])} ANOTHER`,
    })),
  ),
];
