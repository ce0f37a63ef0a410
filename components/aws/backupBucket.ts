import * as iam from "@pulumi/aws/iam";
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { elsewhere, https } from "../network/flows";
import type { Bucket } from "../stores/bucket";

export interface BackupBucketArgs extends ComponentArgs {
  /** The writer is a Kubernetes service account through its cluster's OIDC, or a user with keys. */
  writer: "keys" | ServiceAccountIdentity;
  /** How long no one can delete a backup, the account's owner included, in days. */
  lockDays: number;
  /** How long a dump of the database is kept, in days; at least `lockDays`. */
  keepDays: number;
  /** Refuses to give the bucket up; `pulumi state unprotect` lifts it. */
  protect: boolean;
}

/** A service account as AWS sees it (IRSA). */
export interface ServiceAccountIdentity {
  /** ARN of the cluster's identity provider in IAM. */
  providerArn: pulumi.Input<string>;
  /** Host and path of the cluster's issuer, without https://. */
  issuer: pulumi.Input<string>;
  namespace: string;
  serviceAccount: string;
}

/**
 * Where backups go. The writer adds and reads; it can't delete, overwrite for good or change the
 * bucket, so that a stolen identity costs no backup. It stays when the stack goes, and all that
 * guards it: S3 deletes no bucket with something in it, and would first lose its lock and policy.
 */
export class BackupBucket extends Component {
  /** With a service account its keys are "": the pod's own identity is used. */
  readonly bucket: Bucket;
  /** ARN of the role for the service account's annotation `eks.amazonaws.com/role-arn`. */
  readonly role?: pulumi.Output<string>;

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
    new s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      kept,
    );
    new s3.BucketOwnershipControls(
      `${name}-ownership`,
      { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      kept,
    );
    const closed = new s3.BucketPublicAccessBlock(
      `${name}-public-access`,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      kept,
    );
    new s3.BucketPolicy(
      `${name}-policy`,
      { bucket, policy: tlsOnly(store.arn) },
      // S3 refuses two changes of a bucket's access at once.
      { ...kept, dependsOn: closed },
    );
    const place = { name: bucket, region: store.region, server: elsewhere(https) };
    const policy = addOnly(store.arn);
    if (args.writer === "keys") {
      const user = new iam.User(`${name}-writer`, {}, this.child);
      new iam.UserPolicy(`${name}-writer-policy`, { user: user.name, policy }, this.child);
      const key = new iam.AccessKey(`${name}-writer-key`, { user: user.name }, this.child);
      this.bucket = { ...place, accessKeyId: key.id, secretAccessKey: key.secret };
    } else {
      const role = new iam.Role(
        `${name}-writer`,
        { assumeRolePolicy: trust(args.writer) },
        this.child,
      );
      new iam.RolePolicy(`${name}-writer-policy`, { role: role.name, policy }, this.child);
      this.role = role.arn;
      this.bucket = { ...place, accessKeyId: "", secretAccessKey: "" };
    }
    this.registerOutputs({ bucket: this.bucket, role: this.role });
  }
}

function lifecycleRules({ lockDays, keepDays }: BackupBucketArgs) {
  return [
    {
      id: "dumps",
      status: "Enabled",
      filter: { prefix: "database/" },
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

const statement = (document: iam.PolicyStatement) => ({
  Version: "2012-10-17" as const,
  Statement: [document],
});

function tlsOnly(bucketArn: pulumi.Input<string>): iam.PolicyDocument {
  return statement({
    Sid: "TlsOnly",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [bucketArn, pulumi.interpolate`${bucketArn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });
}

/** What a copy into the bucket and a restore from it take, and nothing more. */
function addOnly(bucketArn: pulumi.Input<string>): iam.PolicyDocument {
  return statement({
    Effect: "Allow",
    Action: ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
    Resource: [bucketArn, pulumi.interpolate`${bucketArn}/*`],
  });
}

function trust(identity: ServiceAccountIdentity): pulumi.Output<string> {
  const { providerArn, issuer, namespace, serviceAccount } = identity;
  return pulumi.all([providerArn, issuer]).apply(([Federated, host]) =>
    JSON.stringify(
      statement({
        Effect: "Allow",
        Principal: { Federated },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${host}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
            [`${host}:aud`]: "sts.amazonaws.com",
          },
        },
      }),
    ),
  );
}
