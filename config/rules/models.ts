import { knownModels } from "../groups/models";
import { type Rule, rule } from "./rule";

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
];
