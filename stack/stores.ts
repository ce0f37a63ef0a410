import type * as pulumi from "@pulumi/pulumi";
import { BackupBucket } from "../components/aws/backupBucket";
import { ManagedPostgres } from "../components/aws/managedPostgres";
import { ManagedRedis } from "../components/aws/managedRedis";
import { backupIdentity } from "../components/backups/backups";
import type { Component } from "../components/component";
import { aigc } from "../components/names";
import { elsewhere, https } from "../components/network/flows";
import type { Bucket } from "../components/stores/bucket";
import { ObjectStore } from "../components/stores/objectStore";
import { Postgres } from "../components/stores/postgres";
import { Redis } from "../components/stores/redis";
import type { Config } from "../config";

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
  const storageGiB = Number.parseInt(postgres.storage, 10);
  const args = { ...inAws(config), password, storageGiB, protect, ...postgres };
  return new ManagedPostgres("postgres", args, options);
}

export function makeRedis(config: Config, options: Options): Redis | ManagedRedis {
  const { namespace, images, secrets, protect, redis } = config;
  const password = secrets.redisPassword;
  if (!redis.managed) {
    const args = { namespace, image: images.redis, password, protect, ...redis };
    return new Redis("redis", args, options);
  }
  return new ManagedRedis("redis", { ...inAws(config), password, protect, ...redis }, options);
}

/** Where pictures and backups are kept. */
export interface Buckets {
  pictures: Bucket;
  backups: Bucket;
  /** ARN of the AWS role that writes backups, where that has no keys. */
  backupRole?: pulumi.Output<string>;
  /** What has to be there before they are used. */
  made: Component[];
}

export function makeBuckets(config: Config, options: Options): Buckets {
  const { namespace, images, protect, objectStore } = config;
  const pictures = picturesInAws(config);
  const backups = backupsInAws(config, options);
  if (pictures && backups) return { pictures, ...backups, made: [] };
  const store = new ObjectStore(
    "object-store",
    {
      namespace,
      image: images.objectStore,
      buckets: [aigc, `${aigc}-backup`],
      protect,
      ...pictureKeys(config),
      ...objectStore,
    },
    options,
  );
  const [ownPictures, ownBackups] = store.buckets as [Bucket, Bucket];
  return { pictures: pictures ?? ownPictures, backups: ownBackups, ...backups, made: [store] };
}

const pictureKeys = ({ secrets }: Config) => ({
  accessKeyId: secrets.s3AccessKeyId,
  secretAccessKey: secrets.s3SecretAccessKey,
});

function picturesInAws(config: Config): Bucket | undefined {
  const { objectStore, aws } = config;
  return objectStore.bucket
    ? {
        name: objectStore.bucket,
        region: aws.region,
        server: elsewhere(https),
        ...pictureKeys(config),
      }
    : undefined;
}

function backupsInAws(
  { backups, aws, namespace, protect }: Config,
  options: Options,
): Pick<Buckets, "backups" | "backupRole"> | undefined {
  if (!backups.managed) return undefined;
  const { oidcProviderArn: providerArn, oidcIssuer: issuer } = aws;
  const serviceAccount = { providerArn, issuer, namespace, serviceAccount: backupIdentity };
  const writer = providerArn ? serviceAccount : "keys";
  const made = new BackupBucket("backup-bucket", { writer, protect, ...backups }, options);
  return { backups: made.bucket, backupRole: made.role };
}

const inAws = ({ aws }: Config) => ({
  vpcId: aws.vpcId,
  subnetIds: aws.subnetIds,
  clients: aws.clientNetworks,
  applyImmediately: aws.applyImmediately,
});
