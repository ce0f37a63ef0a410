import type * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";

/** What somebody may do in a bucket. */
export interface BucketAccess {
  /** ARN of the bucket. */
  arn: pulumi.Input<string>;
  rights: Right[];
}

/** In the whole bucket, or in one of its folders: `write`, `write inputs`. */
export type Right = Kind | `${Kind} ${string}`;
type Kind = keyof typeof actions;

/**
 * Actions by what they are for. Who reads has to list too, or S3 answers 403 for what is not there:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, Permissions
 */
const actions = {
  read: ["s3:ListBucket", "s3:GetObject"],
  write: ["s3:PutObject", "s3:AbortMultipartUpload"],
  delete: ["s3:DeleteObject"],
};

/** Allows that much, and nothing more. */
export const allow = (access: BucketAccess[]): iam.PolicyDocument =>
  policy(
    access.flatMap(({ arn, rights }) => {
      const folders = new Set(rights.map(folderOf));
      return [...folders].map((folder) => ({
        Effect: "Allow" as const,
        Action: rights
          .filter((right) => folderOf(right) === folder)
          .flatMap((right) => actions[right.split(" ")[0] as Kind]),
        // Listing is of the bucket, all else of what is in it.
        Resource: [arn, pulumi.interpolate`${arn}/${folder}*`],
      }));
    }),
  );

function folderOf(right: Right): string {
  const [, folder] = right.split(" ");
  return folder ? `${folder}/` : "";
}

export const policy = (statements: iam.PolicyStatement[]) => ({
  Version: "2012-10-17" as const,
  Statement: statements,
});
