import { ecrHost, registryHost } from "../../components/vendors";
import { knownModels } from "../groups/models";
import { condition, type Values } from "./rule";

// What decides whether other keys, secrets and images are needed.

export const ownPrometheus = condition(
  ["monitoring"],
  "monitoring.operator is false",
  ({ monitoring }) => !monitoring.operator,
);
export const operatedPrometheus = condition(
  ["monitoring"],
  "monitoring.operator is true",
  ({ monitoring }) => monitoring.operator,
);
const alerting = ({ monitoring }: Pick<Values, "monitoring">) =>
  monitoring.alertmanager && !monitoring.operator;
export const told = (receiver: Values["monitoring"]["receivers"][number]) =>
  condition(
    ["monitoring"],
    `monitoring.receivers has ${receiver}`,
    (config) => alerting(config) && config.monitoring.receivers.includes(receiver),
  );
export const watched = condition(
  ["monitoring"],
  "monitoring.watchdog is true",
  (config) => alerting(config) && config.monitoring.watchdog,
);
export const logged = condition(["logs"], "logs.enabled is true", ({ logs }) => logs.enabled);
export const noKubeconfig = condition(
  ["kubeconfig"],
  "kubeconfig is not set",
  ({ kubeconfig }) => !kubeconfig,
);
export const pushed = condition(
  ["build"],
  "build.repository is set",
  ({ build }) => !!build.repository && !ecrHost.test(registryHost(build.repository)),
);
const isPod = ({ postgres }: Pick<Values, "postgres">) =>
  !postgres.managed && postgres.operator === "none";
export const notGiven = condition(
  ["images", "postgres"],
  "images.api, images.worker, images.backup or images.postgres is not set",
  (config) => {
    const { api, worker, backup, postgres } = config.images;
    return [api, worker, backup, !isPod(config) || postgres].some((image) => !image);
  },
);
const mode = (mode: Values["cloudflare"]["mode"]) =>
  condition(
    ["cloudflare"],
    `cloudflare.mode is ${mode}`,
    ({ cloudflare }) => cloudflare.mode === mode,
  );
export const [off, tunnel, proxied] = [mode("off"), mode("tunnel"), mode("proxied")];
export const balanced = condition(
  ["nginx"],
  "nginx.serviceType is LoadBalancer",
  ({ nginx }) => nginx.serviceType === "LoadBalancer",
);
export const reached = condition(
  ["nginx"],
  "nginx.serviceType is not ClusterIP",
  ({ nginx }) => nginx.serviceType !== "ClusterIP",
);
export const toldByProxies = condition(
  ["cloudflare", "nginx"],
  "nginx.proxyProtocol is true and cloudflare.mode is off",
  ({ cloudflare, nginx }) => nginx.proxyProtocol && cloudflare.mode === "off",
);
export const pulling = condition(
  ["cloudflare"],
  "cloudflare.mode is proxied and cloudflare.zoneRules is true",
  (config) => proxied.holds(config as Values) && config.cloudflare.zoneRules,
);
export const cloudflare = condition(
  ["cloudflare"],
  "cloudflare.mode is not off",
  ({ cloudflare }) => cloudflare.mode !== "off",
);
export const ownPostgres = condition(
  ["postgres"],
  "postgres.managed is false",
  ({ postgres }) => !postgres.managed,
);
export const postgresPod = condition(
  ["postgres"],
  "postgres.managed is false and postgres.operator is none",
  isPod,
);
export const operatedPostgres = condition(
  ["postgres"],
  "postgres.operator is cnpg",
  ({ postgres }) => !postgres.managed && postgres.operator === "cnpg",
);
export const ownRedis = condition(
  ["redis"],
  "redis.managed is false",
  ({ redis }) => !redis.managed,
);
export const managedStore = condition(
  ["postgres", "redis"],
  "postgres.managed or redis.managed is true",
  ({ postgres, redis }) => postgres.managed || redis.managed,
);
const picturesInAws = ({ objectStore }: Pick<Values, "objectStore">) =>
  objectStore.managed || !!objectStore.bucket;
export const ownObjectStore = condition(
  ["objectStore", "backups"],
  "pictures or backups are not in AWS",
  (config) => !picturesInAws(config) || !config.backups.managed,
);
const fromBucket = ({ models }: Pick<Values, "models">) => models.endpoint.startsWith("s3:");
export const fromHub = condition(
  ["models"],
  "models.endpoint is a hub",
  (config) => !fromBucket(config),
);
export const webhooks = condition(["api"], "api.webhooks is true", ({ api }) => api.webhooks);
export const signed = condition(
  ["workers"],
  "workers.contentCredentials is true",
  ({ workers }) => workers.contentCredentials,
);
export const gated = condition(["models"], "models.gated is true", ({ models }) => models.gated);
export const awsBuckets = condition(
  ["objectStore", "backups", "models"],
  "pictures, backups or weights are in AWS",
  (config) => picturesInAws(config) || config.backups.managed || fromBucket(config),
);
export const ownPictures = condition(
  ["objectStore"],
  "objectStore.bucket is not set",
  ({ objectStore }) => !objectStore.bucket,
);
export const unknownModel = condition(
  ["workers"],
  "only the files of the default model are known",
  ({ workers }) => !Object.values(knownModels).includes(workers.model),
);
export const aws = condition(
  ["postgres", "redis", "objectStore", "backups", "models"],
  "a managed store, pictures, backups or weights are in AWS",
  (config) => managedStore.holds(config as Values) || awsBuckets.holds(config as Values),
);
