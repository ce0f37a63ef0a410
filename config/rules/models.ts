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
  rule(["models"], ({ models: { loras } }) =>
    repeated(loras.map(({ name }) => name)).map((name) => ({
      key: "models.loras",
      is: `not told apart by the name ${name}`,
      but: "requests and files have no other",
      fix: `set ${keyArgument(["models", "loras", loras.findLastIndex((lora) => lora.name === name), "name"])} ANOTHER`,
    })),
  ),
];
