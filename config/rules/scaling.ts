import { knownModels } from "../groups/models";
import { keyArgument, keyPath } from "../keyPath";
import { canaryOf, poolsOf } from "../pools";
import { type Fault, type Rule, repeated, rule, type Values } from "./rule";

type Autoscaling = Values["workers"]["autoscaling"];

const canaryPath: PropertyKey[] = ["workers", "canary"];
const pathOf = (pool: number): PropertyKey[] => ["workers", "pools", pool];

const boundsFaults = (
  path: PropertyKey[],
  { by, min, max, schedules }: Autoscaling,
): (Fault | false)[] => [
  max > 0 &&
    min > max && {
      key: keyPath([...path, "min"]),
      is: String(min),
      but: `must not be above ${keyPath([...path, "max"])}, ${max}`,
      fix: `set ${keyArgument([...path, "min"])} ${max}`,
    },
  max > 0 &&
    by === "hpa" &&
    schedules.length > 0 && {
      key: keyPath([...path, "schedules"]),
      is: JSON.stringify(schedules),
      but: "only keda knows the time",
      fix: `set ${keyArgument([...path, "by"])} keda`,
    },
];

export const scalingRules: Rule[] = [
  rule(["workers"], ({ workers: { autoscaling, pools, minAvailable } }) => [
    ...boundsFaults(["workers", "autoscaling"], autoscaling),
    ...pools.flatMap((pool, at) => boundsFaults([...pathOf(at), "autoscaling"], pool.autoscaling)),
    autoscaling.max > 0 &&
      minAvailable > 0 && {
        key: "workers.minAvailable",
        is: String(minAvailable),
        but: "with workers.autoscaling a drain takes one worker at a time",
        fix: "rm --path workers.minAvailable",
      },
  ]),
  rule(["workers"], ({ workers }) =>
    repeated(poolsOf(workers).map(({ name }) => name)).map((name) => ({
      key: "workers.pools",
      is: `not told apart by the name ${name}`,
      but: "it names their pods, and where Prometheus finds them",
      fix: `set ${keyArgument([...pathOf(workers.pools.findLastIndex((pool) => pool.name === name)), "name"])} ANOTHER`,
    })),
  ),
  rule(["workers", "models"], ({ workers, models }) =>
    [
      ...poolsOf({ ...workers, canary: { ...workers.canary, stage: "off" } }),
      canaryOf(workers),
    ].map(({ model, revision, name, onTrial }, at) => {
      const path = [...(onTrial ? canaryPath : pathOf(at)), "revision"];
      return (
        revision === "" &&
        !(model === workers.model && (onTrial || models.revision !== "")) &&
        !Object.values(knownModels).includes(model) && {
          key: keyPath(path),
          is: "missing",
          but: `only the files of the default model are known, and ${name} has ${model}`,
          fix: `set ${keyArgument(path)} VALUE`,
        }
      );
    }),
  ),
  rule(["workers"], ({ workers: { canary } }) => [
    canary.stage !== "off" &&
      !canary.image &&
      !canary.model &&
      !canary.revision && {
        key: "workers.canary.stage",
        is: canary.stage,
        but: "nothing is on trial: the image, the model and its revision are the others'",
        fix: `set ${keyArgument([...canaryPath, "image"])} VALUE`,
      },
  ]),
  // Each would start as many as all of the work needs.
  rule(["workers"], ({ workers }) =>
    repeated(
      [workers, ...poolsOf(workers)]
        .filter(({ autoscaling }) => autoscaling.max > 0)
        .map(({ model }) => model),
    ).map((model) => ({
      key: "workers.pools",
      is: `scaled twice by the work for ${model}`,
      but: "of the workers with one model only some can be scaled, over a fixed number of others",
      fix: `set ${keyArgument([...pathOf(0), "autoscaling", "max"])} 0`,
    })),
  ),
];
