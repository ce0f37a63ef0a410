import { describe, expect, test } from "vitest";
import { BackupBucket } from "../../../components/aws/backupBucket";
import { PicturesBucket } from "../../../components/aws/picturesBucket";
import { declared } from "../declared";

const makers = {
  pictures: (name: string) => new PicturesBucket(name, { keepDays: 0, protect: true }),
  backups: (name: string) => new BackupBucket(name, { lockDays: 30, keepDays: 90, protect: true }),
};

describe.each(Object.entries(makers))("the bucket of the %s", async (_, make) => {
  const { inputs } = await declared(() => make("bucket"));

  test("is encrypted and closed to the public, and knows no other owner than the account", () => {
    expect(inputs["bucket-encryption"]?.rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]);
    expect(inputs["bucket-public-access"]).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(inputs["bucket-ownership"]?.rule).toEqual({ objectOwnership: "BucketOwnerEnforced" });
  });

  test("answers nobody without TLS", () => {
    expect(inputs["bucket-policy"]?.policy).toMatchObject({
      Statement: [
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: ["arn:bucket-store", "arn:bucket-store/*"],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });
});
