import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { elsewhere, https } from "../network/flows";
import type { Bucket } from "../stores/bucket";
import { policy } from "./bucketAccess";

/** Encrypts a bucket of AWS, and closes it to the public and to whoever comes without TLS. */
export function guard(name: string, made: s3.Bucket, opts: pulumi.CustomResourceOptions): void {
  const { bucket } = made;
  new s3.BucketServerSideEncryptionConfiguration(
    `${name}-encryption`,
    { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    opts,
  );
  new s3.BucketOwnershipControls(
    `${name}-ownership`,
    { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts,
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
    opts,
  );
  const tlsOnly = policy([
    {
      Sid: "TlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [made.arn, pulumi.interpolate`${made.arn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ]);
  new s3.BucketPolicy(
    `${name}-policy`,
    { bucket, policy: tlsOnly },
    // S3 refuses two changes of a bucket's access at once.
    { ...opts, dependsOn: closed },
  );
}

/** A bucket that was made, for who uses it. */
export const place = ({ bucket, region, arn }: s3.Bucket): Bucket => ({
  name: bucket,
  region,
  arn,
  server: elsewhere(https),
});
