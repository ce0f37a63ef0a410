import * as s3 from "@pulumi/aws/s3";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { dumpFolder } from "../names";
import type { Bucket } from "../stores/bucket";
import { guard, place } from "./guardedBucket";

export interface BackupBucketArgs extends ComponentArgs {
  /** How long no one can delete a backup, the account's owner included, in days. */
  lockDays: number;
  /** How long a dump of the database is kept, in days; at least `lockDays`. */
  keepDays: number;
  /** Refuses to give the bucket up; `pulumi state unprotect` lifts it. */
  protect: boolean;
}

/**
 * Where backups go. It stays when the stack goes, and all that guards it: S3 deletes no bucket with
 * something in it, and would first lose its lock and policy.
 */
export class BackupBucket extends Component {
  readonly bucket: Bucket;

  constructor(name: string, args: BackupBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("BackupBucket", name, args, opts);
    const kept = { ...this.child, retainOnDelete: true };
    const store = new s3.Bucket(
      `${name}-store`,
      { objectLockEnabled: true },
      { ...kept, protect: args.protect },
    );
    const bucket = store.bucket;
    const versioning = new s3.BucketVersioning(
      `${name}-versioning`,
      { bucket, versioningConfiguration: { status: "Enabled" } },
      kept,
    );
    // Lock and lifecycle speak of versions, so the bucket has to have them first.
    const versioned = { ...kept, dependsOn: versioning };
    new s3.BucketObjectLockConfiguration(
      `${name}-lock`,
      { bucket, rule: { defaultRetention: { mode: "COMPLIANCE", days: args.lockDays } } },
      versioned,
    );
    new s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket, rules: lifecycleRules(args) },
      versioned,
    );
    guard(name, store, kept);
    this.bucket = place(store);
    this.registerOutputs({ bucket: this.bucket });
  }
}

function lifecycleRules({ lockDays, keepDays }: BackupBucketArgs) {
  return [
    {
      id: "dumps",
      status: "Enabled",
      filter: { prefix: `${dumpFolder}/` },
      expiration: { days: keepDays },
    },
    {
      id: "old-versions",
      status: "Enabled",
      filter: {},
      noncurrentVersionExpiration: { noncurrentDays: lockDays },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    },
  ];
}
