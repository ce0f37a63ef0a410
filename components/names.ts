/** Ports by what listens on them, the same on every replica. */
export const ports = {
  alertmanager: 9093,
  cloudflared: 2000,
  cnpgMetrics: 9187,
  cnpgStatus: 8000,
  http: 8000,
  metrics: 9090,
  nginx: 8080,
  nginxExporter: 9113,
  nginxPublic: 8081,
  nginxStatus: 8082,
  nginxTls: 8443,
  postgres: 5432,
  postgresExporter: 9187,
  prometheus: 9090,
  redis: 6379,
  redisExporter: 9121,
  s3: 7070,
  victoriaLogs: 9428,
  vlagent: 9429,
};

/** The bucket and the database; `aigc` is also the prefix of every metric. */
export const aigc = "aigc";

/** Of the backup bucket: what pgBackRest keeps there. */
export const archiveFolder = "archive";
/** Of the backup bucket: the nightly dumps; also in docker/backup. */
export const dumpFolder = "database";

/** Of the pictures' bucket, as the service's code has them. */
export const folders = {
  /** Pictures that clients sent to draw from. */
  inputs: "inputs",
  outputs: "outputs",
  /** What a worker's compiler made, for all. */
  compiled: "compiled",
};

/** The label that Services select by. */
export const labels = (app: string) => ({ app });

/** The DNS name under which the cluster's other pods reach a Service. */
export const serviceHost = (service: string, namespace: string) =>
  `${service}.${namespace}.svc.cluster.local`;
