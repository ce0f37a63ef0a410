import type * as pulumi from "@pulumi/pulumi";
import { BackupBucket } from "../components/aws/backupBucket";
import { BucketUser } from "../components/aws/bucketUser";
import { PicturesBucket } from "../components/aws/picturesBucket";
import type { Component } from "../components/component";
import { aigc } from "../components/names";
import { elsewhere, https } from "../components/network/flows";
import type { Bucket } from "../components/stores/bucket";
import { ObjectStore } from "../components/stores/objectStore";
import { awsPartition } from "../components/vendors";
import type { Config } from "../config";
import { type BucketKind, rightsIn } from "./identities";

type Options = pulumi.ComponentResourceOptions;

export interface Buckets {
  pictures: Bucket;
  backups: Bucket;
  /** Where weights are fetched from, if that is a bucket. */
  weights?: Bucket;
  /** What has to be there before pictures and backups are kept. */
  made: Component[];
}

/** Each bucket is one of AWS or of the stack's own object store, as the configuration says. */
export function makeBuckets(config: Config, options: Options): Buckets {
  const { namespace, images, secrets, protect, objectStore } = config;
  const pictures = picturesInAws(config, options);
  const backups = backupsInAws(config, options);
  const weights = weightsInAws(config, options);
  if (pictures && backups) return { pictures, backups, weights, made: [] };
  const store = new ObjectStore(
    "object-store",
    {
      namespace,
      image: images.objectStore,
      buckets: [aigc, `${aigc}-backup`],
      protect,
      keys: { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey },
      ...objectStore,
    },
    options,
  );
  const [ownPictures, ownBackups] = store.buckets as [Bucket, Bucket];
  return {
    pictures: pictures ?? ownPictures,
    backups: backups ?? ownBackups,
    weights,
    made: [store],
  };
}

function picturesInAws(config: Config, options: Options): Bucket | undefined {
  const { objectStore, protect, retention } = config;
  if (objectStore.managed) {
    const args = { keepDays: retention.pictures, protect };
    const { bucket } = new PicturesBucket("pictures-bucket", args, options);
    return withKeys(config, "pictures", bucket, options);
  }
  return objectStore.bucket
    ? withKeys(config, "pictures", there(config, objectStore.bucket), options)
    : undefined;
}

function backupsInAws(config: Config, options: Options): Bucket | undefined {
  const { backups, protect } = config;
  if (!backups.managed) return undefined;
  const { bucket } = new BackupBucket("backup-bucket", { protect, ...backups }, options);
  return withKeys(config, "backups", bucket, options);
}

function weightsInAws(config: Config, options: Options): Bucket | undefined {
  const { protocol, hostname } = new URL(config.models.endpoint);
  return protocol === "s3:"
    ? withKeys(config, "weights", there(config, hostname), options)
    : undefined;
}

/** A bucket that somebody else has made. */
const there = ({ aws: { region } }: Config, name: string): Bucket => ({
  name,
  region,
  arn: `arn:${awsPartition(region)}:s3:::${name}`,
  server: elsewhere(https),
});

/** A bucket with the keys of its own user, where pods can't be given roles. */
function withKeys(config: Config, kind: BucketKind, bucket: Bucket, options: Options): Bucket {
  if (!config.aws.accessKeys) return bucket;
  const access = [{ arn: bucket.arn as string, rights: rightsIn(config, kind) }];
  return { ...bucket, keys: new BucketUser(`${kind}-user`, { access }, options).keys };
}
