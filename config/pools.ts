import type { Values } from "./rules/rule";

type Workers = Values["workers"];

/** The pools besides the plain workers, each with what it takes over from them. */
export const poolsOf = (workers: Workers) => {
  const { pools, canary, ...plain } = workers;
  return [
    ...pools.map(({ name, autoscaling, ...own }) => ({
      ...plain,
      name,
      autoscaling,
      minAvailable: 0,
      onTrial: false,
      image: "",
      revision: own.revision ?? "",
      model: own.model ?? plain.model,
      replicas: own.replicas ?? 1,
      gpuPrice: own.gpuPrice ?? plain.gpuPrice,
      nodeSelector: own.nodeSelector ?? plain.nodeSelector,
      tolerations: own.tolerations ?? plain.tolerations,
    })),
    ...(canary.stage === "trial" ? [canaryOf(workers)] : []),
  ];
};

/** The workers on trial. */
export const canaryOf = ({ pools: _, canary, ...plain }: Workers) => ({
  ...plain,
  name: "canary",
  autoscaling: { ...plain.autoscaling, max: 0 },
  minAvailable: 0,
  onTrial: true,
  image: canary.image,
  revision: canary.revision ?? "",
  model: canary.model ?? plain.model,
  replicas: canary.replicas,
});

/** Of the tasks that name no model, what workers on trial draw; 0: there are none. */
export const canaryShare = ({ canary }: Workers) => (canary.stage === "trial" ? canary.share : 0);

/** The plain workers as those on trial were, once these are promoted. */
export function promoted<Config extends Pick<Values, "workers" | "models">>(
  config: Config,
): Config {
  const { workers, models } = config;
  if (workers.canary.stage !== "promoted") return config;
  const { model, revision } = canaryOf(workers);
  const same = model === workers.model;
  return {
    ...config,
    workers: { ...workers, model },
    models: { ...models, revision: revision || (same ? models.revision : "") },
  };
}

/** What the plain workers run since it was promoted; "": what they ran before. */
export const promotedImage = ({ canary }: Workers) =>
  canary.stage === "promoted" ? canary.image : "";
