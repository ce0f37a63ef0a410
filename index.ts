import { Backups } from "./components/backups/backups";
import { NginxIngress } from "./components/edge/nginxIngress";
import { NetworkPolicies } from "./components/network/networkPolicies";
import { Api } from "./components/service/api";
import { ModelStore } from "./components/service/modelStore";
import { ServiceSettings } from "./components/service/serviceSettings";
import { s3Url } from "./components/vendors";
import { loadConfig } from "./config";
import { connectionsOf } from "./config/connections";
import { handedOver } from "./config/infrastructure";
import { canaryShare } from "./config/pools";
import { type Outputs, version } from "./outputs";
import { archiveOf, keepArchive } from "./stack/archive";
import { makeBuckets } from "./stack/buckets";
import { behind, makeFront, shownCertificate } from "./stack/front";
import { makeIdentities } from "./stack/identities";
import { ownImage } from "./stack/images";
import { makeLogs } from "./stack/logs";
import { makeMonitoring } from "./stack/monitoring";
import { connect } from "./stack/providers";
import { makePruning } from "./stack/pruning";
import { makeExporters, makePostgres, makeRedis } from "./stack/stores";
import { fromZero, gpuPrices, makeWorkers, otherModels } from "./stack/workers";

export = async (): Promise<Outputs> => {
  const config = loadConfig(await handedOver());
  const { namespace, images, secrets, protect } = config;
  const options = connect(config);

  const buckets = makeBuckets(config, options);
  const identities = makeIdentities(config, buckets, options);
  const archive = archiveOf(config, buckets, identities);
  const postgres = makePostgres(config, archive, {
    ...options,
    dependsOn: [...options.dependsOn, ...buckets.made],
  });
  const redis = makeRedis(config, options);
  const stores = {
    ...options,
    dependsOn: [...options.dependsOn, postgres, redis, ...buckets.made],
  };

  const settings = new ServiceSettings(
    "settings",
    {
      namespace,
      database: postgres,
      queue: redis,
      bucket: buckets.pictures,
      traces: config.traces,
    },
    options,
  );
  const image = ownImage(config, "worker", options);
  const models = new ModelStore(
    "models",
    {
      namespace,
      downloadImage: image,
      model: config.workers.model,
      bucket: buckets.weights,
      identity: identities.models,
      hubToken: config.models.gated ? secrets.hubToken : undefined,
      protect,
      ...config.models,
    },
    options,
  );
  const apiImage = ownImage(config, "api", options);
  const api = new Api(
    "api",
    {
      namespace,
      image: apiImage,
      settings,
      model: config.workers.model,
      otherModels: otherModels(config),
      canaryShare: canaryShare(config.workers),
      gpuPrices: gpuPrices(config),
      sampling: config.models.sampling,
      loras: config.models.loras,
      upscaler: config.models.upscaler,
      workersFromZero: fromZero(config),
      apiSecret: secrets.apiSecret,
      webhookSecret: config.api.webhooks ? secrets.webhookSecret : undefined,
      identity: identities.api,
      connections: connectionsOf.api,
      publicUrl: config.endpoint,
      certificate: shownCertificate(config),
      trustedProxies: config.podNetwork,
      ...config.api,
    },
    // It offers nothing before its file is there.
    config.models.loras.length > 0 || config.models.upscaler
      ? { ...stores, dependsOn: [...stores.dependsOn, models] }
      : stores,
  );
  const workers = makeWorkers(
    config,
    { image, apiImage, settings, models, api, buckets, identities },
    options,
  );
  const nginx = new NginxIngress(
    "nginx",
    {
      namespace,
      image: images.nginx,
      exporterImage: config.monitoring.ownExporters ? images.nginxExporter : undefined,
      upstream: api,
      resolver: config.clusterDns,
      maxWaitSeconds: config.api.maxWaitSeconds,
      maxInput: config.api.maxInput,
      corsOrigins: config.api.corsOrigins,
      ...behind(config),
      ...config.nginx,
    },
    options,
  );
  const front = makeFront(config, nginx, options);
  const backupImage = ownImage(config, "backup", options);
  const backups = new Backups(
    "backups",
    {
      namespace,
      image: backupImage,
      database: postgres,
      source: buckets.pictures,
      models,
      destination: buckets.backups,
      identity: identities.backup,
      restoreIdentity: identities.restore,
      pictureDays: config.retention.pictures,
      ...config.backups,
    },
    options,
  );

  const pruning = makePruning(config, apiImage, settings, options);
  const kept = keepArchive(config, postgres, backupImage, archive, identities, options);
  const exporters = makeExporters(config, postgres, redis, backupImage, stores);

  const dns = { host: config.clusterDns, networks: config.dnsNetworks, port: config.dnsPort };
  const logs = makeLogs(config, dns, options);

  // Each says whom it talks to, when somebody is told of it and where its metrics are.
  const parts = [
    nginx,
    ...front,
    api,
    ...workers,
    models,
    postgres,
    redis,
    backups,
    ...kept,
    ...pruning,
    ...exporters,
    ...buckets.made,
    ...logs,
  ];
  const monitoring = makeMonitoring(config, parts, options);
  new NetworkPolicies(
    "policies",
    {
      namespace,
      flows: [...parts, monitoring].flatMap(({ flows }) => flows),
      operatorNetworks: config.operatorNetworks,
      dns,
    },
    options,
  );

  return {
    version,
    endpoint: config.endpoint,
    namespace,
    internalService: nginx.url,
    prometheus: monitoring.url,
    logs: logs[0]?.url ?? "",
    objectStore: buckets.pictures.endpoint ?? s3Url(config.aws.region),
    bucket: buckets.pictures.name,
    database: postgres.url,
    queue: redis.url,
  };
};
