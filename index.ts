import { Backups } from "./components/backups/backups";
import { NginxIngress } from "./components/edge/nginxIngress";
import { ports } from "./components/names";
import { stackFlows } from "./components/network/flows";
import { NetworkPolicies } from "./components/network/networkPolicies";
import { Monitoring } from "./components/observability/monitoring";
import { Api } from "./components/service/api";
import { ModelStore } from "./components/service/modelStore";
import { ServiceSettings } from "./components/service/serviceSettings";
import { Workers } from "./components/service/workers";
import { loadConfig } from "./config";
import { connectionsOf } from "./config/connections";
import { type Outputs, version } from "./outputs";
import { makeBuckets } from "./stack/buckets";
import { behind, makeFront } from "./stack/front";
import { askingAgent, makeIdentities } from "./stack/identities";
import { serviceImage } from "./stack/images";
import { connect } from "./stack/providers";
import { receivers } from "./stack/receivers";
import { makePostgres, makeRedis } from "./stack/stores";

const config = loadConfig();
const { namespace, images, secrets, protect } = config;
const options = connect(config);

const postgres = makePostgres(config, options);
const redis = makeRedis(config, options);
const buckets = makeBuckets(config, options);
const identities = makeIdentities(config, buckets, options);
const stores = { ...options, dependsOn: [...options.dependsOn, postgres, redis, ...buckets.made] };

const settings = new ServiceSettings(
  "settings",
  {
    namespace,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    bucket: buckets.pictures,
  },
  options,
);
const image = serviceImage(config, "worker", options);
const models = new ModelStore(
  "models",
  {
    namespace,
    image,
    model: config.workers.model,
    bucket: buckets.weights,
    identity: identities.models,
    hubToken: config.models.gated ? secrets.hubToken : undefined,
    protect,
    ...config.models,
  },
  options,
);
const api = new Api(
  "api",
  {
    namespace,
    image: serviceImage(config, "api", options),
    settings,
    identity: identities.api,
    model: config.workers.model,
    apiSecret: secrets.apiSecret,
    connections: connectionsOf.api,
    publicUrl: config.endpoint,
    trustedProxies: config.podNetwork,
    ...config.api,
  },
  stores,
);
const workers = new Workers(
  "aigc-workers",
  {
    namespace,
    image,
    settings,
    identity: identities["aigc-worker"],
    models,
    connections: connectionsOf.worker,
    ...config.workers,
  },
  { ...stores, dependsOn: [api, models] },
);
const nginx = new NginxIngress(
  "nginx",
  {
    namespace,
    image: images.nginx,
    upstream: api.host,
    resolver: config.clusterDns,
    maxWaitSeconds: config.api.maxWaitSeconds,
    ...behind(config),
    ...config.nginx,
  },
  options,
);
makeFront(config, nginx, options);

new Backups(
  "backups",
  {
    namespace,
    image: images.backup,
    databaseUrl: postgres.url,
    source: buckets.pictures,
    models,
    destination: buckets.backups,
    identity: identities.backup,
    restoreIdentity: identities.restore,
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
    alertmanagerImage: images.alertmanager,
    tell: receivers(config),
    protect,
    ...config.monitoring,
  },
  options,
);
new NetworkPolicies(
  "policies",
  {
    namespace,
    flows: stackFlows({ ...config, askingAgent: askingAgent(identities) }),
    operatorNetworks: config.operatorNetworks,
    dns: { host: config.clusterDns, networks: config.dnsNetworks, port: config.dnsPort },
  },
  options,
);

const outputs: Outputs = {
  version,
  endpoint: config.endpoint,
  namespace,
  internalService: nginx.url,
  prometheus: monitoring.url,
  objectStore: buckets.pictures.endpoint ?? `https://s3.${config.aws.region}.amazonaws.com`,
  bucket: buckets.pictures.name,
  database: postgres.url,
  queue: redis.url,
};
export = outputs;
