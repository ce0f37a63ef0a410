import * as s3 from "@pulumi/aws/s3";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { folders } from "../names";
import type { Bucket } from "../stores/bucket";
import { guard, place } from "./guardedBucket";

export interface PicturesBucketArgs extends ComponentArgs {
  /** Days after which a picture is deleted; 0 keeps it. */
  keepDays: number;
  /** Refuses to give the bucket up; `pulumi state unprotect` lifts it. */
  protect: boolean;
}

/**
 * Where pictures are, on AWS. It stays when the stack goes, with all that guards it: S3 deletes no
 * bucket with something in it. It keeps no old versions, since a deleted picture shall be gone.
 */
export class PicturesBucket extends Component {
  readonly bucket: Bucket;

  constructor(name: string, args: PicturesBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("PicturesBucket", name, args, opts);
    const kept = { ...this.child, retainOnDelete: true };
    const store = new s3.Bucket(`${name}-store`, {}, { ...kept, protect: args.protect });
    new s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket: store.bucket, rules: lifecycleRules(args.keepDays) },
      kept,
    );
    guard(name, store, kept);
    this.bucket = place(store);
    this.registerOutputs({ bucket: this.bucket });
  }
}

const lifecycleRules = (days: number) => [
  ...(days > 0 ? Object.values(folders).map((folder) => expire(folder, `${folder}/`, days)) : []),
  {
    id: "broken-uploads",
    status: "Enabled",
    filter: {},
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
  },
];

const expire = (id: string, prefix: string, days: number) => ({
  id,
  status: "Enabled",
  filter: { prefix },
  expiration: { days },
});
