import type * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { archiveFolder } from "../names";

/** What somebody may do in a bucket. */
export interface BucketAccess {
  /** ARN of the bucket. */
  arn: pulumi.Input<string>;
  rights: Right[];
}

export type Right = keyof typeof actions;

/**
 * Actions by what they are for. Who reads has to list too, or S3 answers 403 for what is not there:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, Permissions
 */
const actions = {
  read: ["s3:ListBucket", "s3:GetObject"],
  write: ["s3:PutObject", "s3:AbortMultipartUpload"],
  delete: ["s3:DeleteObject"],
  /** Of the database's archive alone. */
  expire: ["s3:DeleteObject"],
};

/** Allows that much, and nothing more. */
export const allow = (access: BucketAccess[]): iam.PolicyDocument =>
  policy(
    access.flatMap(({ arn, rights }) => [
      {
        Effect: "Allow",
        Action: rights.flatMap((right) => (right === "expire" ? [] : actions[right])),
        Resource: [arn, pulumi.interpolate`${arn}/*`],
      },
      ...(rights.includes("expire")
        ? [
            {
              Effect: "Allow" as const,
              Action: actions.expire,
              Resource: [pulumi.interpolate`${arn}/${archiveFolder}/*`],
            },
          ]
        : []),
    ]),
  );

export const policy = (statements: iam.PolicyStatement[]) => ({
  Version: "2012-10-17" as const,
  Statement: statements,
});
