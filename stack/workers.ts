import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import type { Component } from "../components/component";
import type { Api } from "../components/service/api";
import { Autoscaler } from "../components/service/autoscaler";
import { DeletionCosts } from "../components/service/deletionCosts";
import { ModelStore } from "../components/service/modelStore";
import type { ServiceSettings } from "../components/service/serviceSettings";
import { Workers } from "../components/service/workers";
import type { Config } from "../config";
import { connectionsOf } from "../config/connections";
import { canaryShare, poolsOf } from "../config/pools";
import type { Buckets } from "./buckets";
import type { Identities } from "./identities";

export interface WorkersParts {
  image: Output<string>;
  /** Of the api. */
  apiImage: Output<string>;
  settings: ServiceSettings;
  models: ModelStore;
  api: Api;
  buckets: Buckets;
  identities: Identities;
}

/** What tasks may name besides the model of the plain workers. */
export const otherModels = ({ workers }: Config): string[] => [
  ...new Set(
    poolsOf(workers)
      .filter(({ model, onTrial }) => model !== workers.model && !onTrial)
      .map(({ model }) => model),
  ),
];

/** Of an hour of a worker, by model; of several pools of a model the first's, where it is known. */
export const gpuPrices = ({ workers }: Config): Record<string, number> =>
  Object.fromEntries(
    [workers, ...poolsOf(workers)]
      .filter(({ gpuPrice }) => gpuPrice > 0)
      .map(({ model, gpuPrice }): [string, number] => [model, gpuPrice])
      .reverse(),
  );

/** Whether tasks may have to wait until a first worker starts. */
export const fromZero = ({ workers }: Config): boolean =>
  [workers, ...poolsOf(workers)].some(({ autoscaling: { min, max } }) => max > 0 && min === 0);

/** The plain workers, the pools, what holds their models, and what scales them. */
export function makeWorkers(
  config: Config,
  parts: WorkersParts,
  options: ComponentResourceOptions,
): Component[] {
  const { namespace, workers, secrets } = config;
  const { image, api, settings } = parts;
  const made: Component[] = [];
  const weights = (pool: { model: string; revision: string }) =>
    `${pool.model}@${pool.revision || (pool.model === workers.model ? config.models.revision : "")}`;
  const plainPool = { name: "", revision: "", image: "", onTrial: false, ...workers };
  const stores = new Map([[weights(plainPool), parts.models]]);
  let plain: Workers | undefined;
  for (const pool of [plainPool, ...poolsOf(workers)]) {
    let models = stores.get(weights(pool));
    if (!models) {
      models = ofPool(config, pool, parts, options);
      stores.set(weights(pool), models);
      made.push(models);
    }
    const namedOnly = pool.model !== workers.model && !pool.onTrial;
    const { min, max } = pool.autoscaling;
    const group = new Workers(
      pool.name ? `aigc-workers-${pool.name}` : "aigc-workers",
      {
        ...pool,
        namespace,
        pool: pool.name,
        namedOnly,
        canaryShare: namedOnly ? 0 : canaryShare(workers),
        image: pool.image || image,
        settings,
        models,
        identity: parts.identities["aigc-worker"],
        like: plain,
        connections: connectionsOf.worker,
        credentials: workers.contentCredentials
          ? { certificates: secrets.c2paCertificates, key: secrets.c2paKey }
          : undefined,
        ...(max > 0 && { replicas: min, scaledFrom: min }),
      },
      { ...options, dependsOn: [api, models] },
    );
    plain ??= group;
    made.push(group);
    if (max > 0) {
      const args = { namespace, workers: group, api, ...pool.autoscaling };
      made.push(new Autoscaler(`${group.name}-autoscaler`, args, options));
    }
  }
  if (made.some((part) => part instanceof Autoscaler)) {
    const args = { namespace, image: parts.apiImage, settings, otherModels: api.otherModels };
    made.push(new DeletionCosts("deletion-costs", args, options));
  }
  return made;
}

function ofPool(
  config: Config,
  { name, model, revision }: ReturnType<typeof poolsOf>[number],
  { image, models, buckets, identities }: WorkersParts,
  options: ComponentResourceOptions,
): ModelStore {
  const { namespace, secrets, protect } = config;
  return new ModelStore(
    `models-${name}`,
    {
      ...config.models,
      // The image holds the plain workers' model.
      image: "",
      namespace,
      downloadImage: image,
      model,
      revision,
      bucket: buckets.weights,
      identity: identities.models,
      like: models,
      hubToken: config.models.gated ? secrets.hubToken : undefined,
      protect,
    },
    options,
  );
}
