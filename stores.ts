import type * as pulumi from "@pulumi/pulumi";
import { BackupBucket } from "./components/backupBucket";
import type { Bucket } from "./components/bucket";
import { ManagedPostgres } from "./components/managedPostgres";
import { ManagedRedis } from "./components/managedRedis";
import { aigc } from "./components/names";
import { ObjectStore } from "./components/objectStore";
import { Postgres } from "./components/postgres";
import { Redis } from "./components/redis";
import type { Config } from "./config";

type Options = pulumi.ComponentResourceOptions;

// Each store is a pod of the stack or a server of AWS, as the configuration says; what uses it
// can't tell them apart.

export function makePostgres(config: Config, options: Options): Postgres | ManagedPostgres {
  const { namespace, images, secrets, protect, postgres } = config;
  const password = secrets.databasePassword;
  if (!postgres.managed) {
    const args = { namespace, image: images.postgres, password, protect, ...postgres };
    return new Postgres("postgres", args, options);
  }
  const storageGiB = Number.parseInt(postgres.storage);
  const args = { ...network(config), password, storageGiB, protect, ...postgres };
  return new ManagedPostgres("postgres", args, options);
}

export function makeRedis(config: Config, options: Options): Redis | ManagedRedis {
  const { namespace, images, secrets, protect, redis } = config;
  const password = secrets.redisPassword;
  if (!redis.managed) {
    const args = { namespace, image: images.redis, password, protect, ...redis };
    return new Redis("redis", args, options);
  }
  return new ManagedRedis("redis", { ...network(config), password, protect, ...redis }, options);
}

/** Where pictures and backups are kept, and what has to be there before they are used. */
export interface Buckets {
  pictures: Bucket;
  backups: Bucket;
  store?: ObjectStore;
}

export function makeBuckets(config: Config, options: Options): Buckets {
  const { namespace, images, secrets, protect, objectStore, backups, aws } = config;
  const keys = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
  const inAws: Partial<Buckets> = {};
  if (objectStore.bucket) {
    inAws.pictures = { name: objectStore.bucket, region: aws.region, ...keys };
  }
  if (backups.managed) {
    const args = { writer: "keys" as const, protect, ...backups };
    inAws.backups = new BackupBucket("backup-bucket", args, options).bucket;
  }
  if (inAws.pictures && inAws.backups) return inAws as Buckets;
  const store = new ObjectStore(
    "object-store",
    {
      namespace,
      image: images.objectStore,
      buckets: [aigc, `${aigc}-backup`],
      protect,
      ...keys,
      ...objectStore,
    },
    options,
  );
  const [pictures, copies] = store.buckets as [Bucket, Bucket];
  return { pictures, backups: copies, ...inAws, store };
}

const network = ({ aws }: Config) => ({
  vpcId: aws.vpcId,
  subnetIds: aws.subnetIds,
  clients: aws.clientNetworks,
});
