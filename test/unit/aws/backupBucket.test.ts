import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { BackupBucket, type BackupBucketArgs } from "../../../components/aws/backupBucket";
import { accepted } from "../../golden/stacks";
import { declared, resolved } from "../declared";

const declareBucket = (writer: BackupBucketArgs["writer"]) =>
  declared(
    () => new BackupBucket("backup-bucket", { writer, lockDays: 30, keepDays: 90, protect: true }),
  );

interface Policy {
  Statement: { Effect: string; Action: string | string[]; Condition?: unknown }[];
}

describe("the bucket of the backups", async () => {
  const { made, inputs } = await declareBucket("keys");

  test("keeps every version for as long as the lock says", () => {
    expect(inputs["backup-bucket-store"]).toMatchObject({ objectLockEnabled: true });
    expect(inputs["backup-bucket-versioning"]?.versioningConfiguration).toEqual({
      status: "Enabled",
    });
    expect(inputs["backup-bucket-lock"]?.rule).toEqual({
      defaultRetention: { mode: "COMPLIANCE", days: 30 },
    });
  });

  test("stays when the stack is destroyed, with all that guards it", () => {
    const ofBucket = Object.values(accepted("prod")).filter(({ type }) =>
      type.startsWith("aws:s3/"),
    );
    expect(ofBucket).toHaveLength(8);
    for (const resource of ofBucket) expect(resource).toMatchObject({ retainOnDelete: true });
  });

  test("is encrypted and closed to the public", () => {
    expect(inputs["backup-bucket-encryption"]?.rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]);
    expect(inputs["backup-bucket-public-access"]).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
  });

  test("answers nobody without TLS", () => {
    const policy = inputs["backup-bucket-policy"]?.policy as Policy;
    expect(policy.Statement).toEqual([
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: ["arn:backup-bucket-store", "arn:backup-bucket-store/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
  });

  test("drops dumps after keepDays, and what the lock held after that; pictures stay", () => {
    expect(inputs["backup-bucket-lifecycle"]?.rules).toMatchObject([
      { filter: { prefix: "database/" }, expiration: { days: 90 } },
      { filter: {}, noncurrentVersionExpiration: { noncurrentDays: 30 } },
    ]);
  });

  test("has a writer that can add and read, and neither delete nor change the bucket", () => {
    const policy = inputs["backup-bucket-writer-policy"]?.policy as Policy;
    expect(policy.Statement).toHaveLength(1);
    expect(policy.Statement[0]?.Action).toEqual([
      "s3:ListBucket",
      "s3:GetObject",
      "s3:PutObject",
      "s3:AbortMultipartUpload",
    ]);
  });

  test("gives the writer's keys, when it was asked for keys", async () => {
    const { accessKeyId, secretAccessKey } = made.bucket;
    expect(await resolved(pulumi.output(accessKeyId))).toBe("backup-bucket-writer-key-id");
    expect(await resolved(pulumi.output(secretAccessKey))).toBe("backup-bucket-writer-key secret");
    expect(made.role).toBeUndefined();
  });
});

test("a service account writes without any key, and no other account can take its role", async () => {
  const { made, inputs } = await declareBucket({
    providerArn: "arn:provider",
    issuer: "oidc.example/id/1",
    namespace: "image-service",
    serviceAccount: "backup",
  });
  expect(made.bucket).toMatchObject({ accessKeyId: "", secretAccessKey: "" });
  expect(Object.keys(inputs)).not.toContain("backup-bucket-writer-key");
  const trust = JSON.parse(inputs["backup-bucket-writer"]?.assumeRolePolicy as string) as Policy;
  expect(trust.Statement[0]?.Condition).toEqual({
    StringEquals: {
      "oidc.example/id/1:sub": "system:serviceaccount:image-service:backup",
      "oidc.example/id/1:aud": "sts.amazonaws.com",
    },
  });
});
