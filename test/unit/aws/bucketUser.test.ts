import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import type { Config } from "../../../config";
import { makeBuckets } from "../../../stack/buckets";
import { makeIdentities } from "../../../stack/identities";
import { declared, resolved } from "../declared";

// For a cluster whose pods can't be given roles.

const config = {
  namespace: "image-service",
  context: "the-cluster",
  protect: true,
  aws: { region: "eu-central-1", accessKeys: true, eksCluster: "", oidcProviderArn: "" },
  objectStore: { managed: true, bucket: "" },
  retention: { pictures: 0 },
  backups: { managed: true, lockDays: 30, keepDays: 90 },
  models: { endpoint: "https://huggingface.co" },
  postgres: { managed: false },
} as Config;

test("users of IAM are made only where they are asked for, one a bucket, each with its rights", async () => {
  const { made, inputs } = await declared(() => {
    const buckets = makeBuckets(config, {});
    return { ...buckets, identities: makeIdentities(config, buckets, {}) };
  });
  expect(made.identities).toEqual({});
  const rights = (user: string) =>
    (inputs[`${user}-policy`]?.policy as { Statement: { Resource: string[] }[] } | undefined)
      ?.Statement;
  expect(rights("backups-user")).toEqual([
    {
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
      Resource: ["arn:backup-bucket-store", "arn:backup-bucket-store/*"],
    },
    {
      Effect: "Allow",
      Action: [
        ...["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
        "s3:DeleteObject",
      ],
      Resource: ["arn:backup-bucket-store", "arn:backup-bucket-store/archive/*"],
    },
    ...["database", "outputs"].map((folder) => ({
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:GetObject"],
      Resource: ["arn:backup-bucket-store", `arn:backup-bucket-store/${folder}/*`],
    })),
  ]);
  expect(rights("pictures-user")?.map((statement) => statement.Resource[1])).toEqual([
    "arn:pictures-bucket-store/*",
    "arn:pictures-bucket-store/inputs/*",
    "arn:pictures-bucket-store/outputs/*",
    "arn:pictures-bucket-store/compiled/*",
  ]);
  const { accessKeyId, secretAccessKey } = made.backups.keys ?? {};
  expect(await resolved(pulumi.output(accessKeyId))).toBe("backups-user-key-id");
  expect(await resolved(pulumi.output(secretAccessKey))).toBe("backups-user-key secret");
});
