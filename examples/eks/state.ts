import * as kms from "@pulumi/aws/kms";
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { guard } from "../../components/aws/guardedBucket";
import { Component, type ComponentArgs } from "../../components/component";

export interface StateArgs extends ComponentArgs {
  /** Prefix of the keys' names. */
  alias: string;
  region: string;
}

const oldVersionDays = 90;

/**
 * Where Pulumi keeps stacks, this one too, and the keys of their secrets: one of those that matter,
 * one of what previews of pull requests may read. It outlives the stack, since it holds its state.
 */
export class State extends Component {
  readonly bucketArn: pulumi.Output<string>;
  /** For `pulumi login`. */
  readonly backend: pulumi.Output<string>;
  readonly secrets: Secrets;
  readonly previewSecrets: Secrets;

  constructor(name: string, args: StateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("State", name, args, opts);
    const kept: pulumi.CustomResourceOptions = {
      ...this.child,
      protect: true,
      retainOnDelete: true,
    };
    const bucket = new s3.Bucket(`${name}-bucket`, {}, kept);
    const versioning = new s3.BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
      kept,
    );
    new s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket: bucket.bucket,
        rules: [
          {
            id: "old-versions",
            status: "Enabled",
            filter: {},
            noncurrentVersionExpiration: { noncurrentDays: oldVersionDays },
          },
        ],
      },
      { ...kept, dependsOn: versioning },
    );
    guard(name, bucket, kept);
    this.bucketArn = bucket.arn;
    this.backend = pulumi.interpolate`s3://${bucket.bucket}?region=${args.region}`;
    this.secrets = secretsKey(`${name}-secrets`, `${args.alias}-secrets`, args.region, kept);
    this.previewSecrets = secretsKey(
      `${name}-preview-secrets`,
      `${args.alias}-preview-secrets`,
      args.region,
      kept,
    );
    this.registerOutputs({ backend: this.backend });
  }
}

/** A key with which Pulumi encrypts the secrets of stacks. */
export interface Secrets {
  keyArn: pulumi.Output<string>;
  /** For `pulumi stack init --secrets-provider`. */
  provider: pulumi.Output<string>;
}

function secretsKey(
  name: string,
  alias: string,
  region: string,
  opts: pulumi.CustomResourceOptions,
): Secrets {
  const key = new kms.Key(name, { description: `Pulumi: ${alias}`, enableKeyRotation: true }, opts);
  const { name: called } = new kms.Alias(
    `${name}-alias`,
    { name: `alias/${alias}`, targetKeyId: key.id },
    opts,
  );
  return { keyArn: key.arn, provider: pulumi.interpolate`awskms://${called}?region=${region}` };
}
