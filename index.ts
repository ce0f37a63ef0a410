import * as k8s from "@pulumi/kubernetes";
import { Api } from "./components/api";
import { Backups } from "./components/backups";
import type { Bucket } from "./components/bucket";
import { stackFlows } from "./components/flows";
import { ModelStore } from "./components/modelStore";
import { Monitoring } from "./components/monitoring";
import { aigc, ports } from "./components/names";
import { NetworkPolicies } from "./components/networkPolicies";
import { NginxIngress } from "./components/nginxIngress";
import { ObjectStore } from "./components/objectStore";
import { Postgres } from "./components/postgres";
import { Redis } from "./components/redis";
import { ServiceSettings } from "./components/serviceSettings";
import { Workers } from "./components/workers";
import { loadConfig } from "./config";
import type { Outputs } from "./outputs";

const config = loadConfig();
const { images, secrets } = config;

const provider = new k8s.Provider("cluster", {
  kubeconfig: config.kubeconfig || undefined,
  context: config.context || undefined,
  // Without it, an edit of the kubeconfig could replace everything.
  clusterIdentifier: "image-service",
});

const home = new k8s.core.v1.Namespace(
  "namespace",
  {
    metadata: {
      name: config.namespace,
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    },
  },
  { provider },
);
const namespace = config.namespace;
const options = { provider, dependsOn: home };

const postgres = new Postgres(
  "postgres",
  {
    namespace,
    image: images.postgres,
    password: secrets.databasePassword,
    protect: config.protect,
    ...config.postgres,
  },
  options,
);
const redis = new Redis(
  "redis",
  { namespace, image: images.redis, password: secrets.redisPassword, ...config.redis },
  options,
);
const objectStore = new ObjectStore(
  "object-store",
  {
    namespace,
    image: images.objectStore,
    buckets: [aigc, `${aigc}-backup`],
    accessKeyId: secrets.s3AccessKeyId,
    secretAccessKey: secrets.s3SecretAccessKey,
    ...config.objectStore,
  },
  options,
);

const [pictures, backupBucket] = objectStore.buckets as [Bucket, Bucket];

const settings = new ServiceSettings(
  "settings",
  {
    namespace,
    apiSecret: secrets.apiSecret,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    bucket: pictures,
    publicUrl: config.endpoint,
    trustedProxies: config.podNetwork,
    rateLimit: config.api.rateLimit,
    modelId: config.workers.model,
  },
  options,
);
const stores = { ...options, dependsOn: [home, postgres, redis, objectStore] };

const api = new Api("api", { namespace, image: images.api, settings, ...config.api }, stores);
const models = new ModelStore(
  "models",
  { namespace, image: images.worker, model: config.workers.model, ...config.models },
  options,
);
const workers = new Workers(
  "aigc-workers",
  { namespace, image: images.worker, settings, models, ...config.workers },
  { ...stores, dependsOn: [api, models] },
);
const nginx = new NginxIngress(
  "nginx",
  {
    namespace,
    image: images.nginx,
    upstream: api.host,
    resolver: config.clusterDns,
    proxies: [],
    ...config.nginx,
  },
  options,
);

new Backups(
  "backups",
  {
    namespace,
    image: images.backup,
    databaseUrl: postgres.url,
    source: pictures,
    destination: backupBucket,
    ...config.backups,
  },
  options,
);
const monitoring = new Monitoring(
  "monitoring",
  {
    namespace,
    image: images.prometheus,
    targets: [
      { job: "api", host: api.host, port: ports.metrics },
      { job: "worker", host: workers.host, port: ports.metrics },
    ],
    ...config.monitoring,
    alertmanager: config.monitoring.alertmanager
      ? {
          image: images.alertmanager,
          webhook: secrets.alertWebhook,
          resources: config.monitoring.alertmanagerResources,
        }
      : undefined,
  },
  options,
);

new NetworkPolicies(
  "policies",
  {
    namespace,
    flows: stackFlows({
      managed: { postgres: false, redis: false, pictures: false, backups: false },
      tls: false,
      tunnel: false,
    }),
    operatorNetworks: config.operatorNetworks,
  },
  options,
);

const outputs: Outputs = {
  endpoint: config.endpoint,
  namespace,
  internalService: nginx.url,
  prometheus: monitoring.url,
  objectStore: objectStore.endpoint,
};
export = outputs;
