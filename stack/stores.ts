import type * as pulumi from "@pulumi/pulumi";
import { ManagedPostgres } from "../components/aws/managedPostgres";
import { ManagedRedis } from "../components/aws/managedRedis";
import { redisReplicaGone } from "../components/stores/alerts";
import type { Archive } from "../components/stores/archive";
import { onlooker, onlookerPassword } from "../components/stores/exporter";
import { Postgres } from "../components/stores/postgres";
import { PostgresCluster } from "../components/stores/postgresCluster";
import { PostgresExporter } from "../components/stores/postgresExporter";
import { Redis } from "../components/stores/redis";
import { RedisExporter } from "../components/stores/redisExporter";
import type { Config } from "../config";
import { ownImage } from "./images";

type Options = pulumi.ComponentResourceOptions;

// Each store is a pod of the stack, pods of an operator or a server of AWS, as the configuration says; what uses it
// can't tell them apart.

/** @param archive where its archive goes */
export function makePostgres(
  config: Config,
  archive: Archive,
  options: Options,
): Postgres | PostgresCluster | ManagedPostgres {
  const { namespace, images, secrets, protect, postgres } = config;
  const password = secrets.databasePassword;
  if (!postgres.managed && postgres.operator === "cnpg") {
    const args = { namespace, image: images.cnpg, password, protect, archive, ...postgres };
    return new PostgresCluster("postgres", args, options);
  }
  if (!postgres.managed) {
    const image = ownImage(config, "postgres", options);
    return new Postgres(
      "postgres",
      { namespace, image, password, protect, archive, ...postgres },
      options,
    );
  }
  const storageGiB = Number.parseInt(postgres.storage, 10);
  const args = { ...inAws(config), password, storageGiB, protect, ...postgres };
  return new ManagedPostgres("postgres", args, options);
}

export function makeRedis(config: Config, options: Options): Redis | ManagedRedis {
  const { namespace, images, secrets, protect, redis } = config;
  const password = secrets.redisPassword;
  if (!redis.managed) {
    const seen = config.monitoring.ownExporters && onlookerPassword(password);
    const args = { namespace, image: images.redis, password, protect, ...redis };
    return new Redis("redis", { ...args, onlookerPassword: seen || undefined }, options);
  }
  return new ManagedRedis("redis", { ...inAws(config), password, protect, ...redis }, options);
}

/** What Prometheus asks of them, where it is wanted; an operator's pods are asked themselves. @param roleImage of docker/backup */
export function makeExporters(
  config: Config,
  database: Postgres | PostgresCluster | ManagedPostgres,
  queue: Redis | ManagedRedis,
  roleImage: pulumi.Input<string>,
  options: Options,
): (PostgresExporter | RedisExporter)[] {
  const { namespace, images, secrets, monitoring } = config;
  if (!monitoring.ownExporters) return [];
  const { databasePassword, redisPassword } = secrets;
  // ElastiCache knows others than its owner only as users of its own API.
  const asker =
    queue instanceof Redis
      ? { user: onlooker, password: onlookerPassword(redisPassword), alerts: [] }
      : { user: "", password: redisPassword, alerts: [redisReplicaGone] };
  const redis = new RedisExporter(
    "redis-exporter",
    { namespace, queue, image: images.redisExporter, ...asker },
    options,
  );
  if (database instanceof PostgresCluster) return [redis];
  const args = { namespace, database, roleImage };
  return [
    redis,
    new PostgresExporter(
      "postgres-exporter",
      { ...args, image: images.postgresExporter, password: databasePassword },
      options,
    ),
  ];
}

const inAws = ({ aws }: Config) => ({
  vpcId: aws.vpcId,
  subnetIds: aws.subnetIds,
  clients: aws.clientNetworks,
  applyImmediately: aws.applyImmediately,
});
