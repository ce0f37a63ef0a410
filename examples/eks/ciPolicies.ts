import type * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";

/** What of the account the workflows have to do with. */
export interface Reach {
  clusterArn: pulumi.Input<string>;
  repositoryArn: pulumi.Input<string>;
  /** Bucket of Pulumi's state. */
  stateArn: pulumi.Input<string>;
  /** Key of the secrets that matter. */
  secretsKeyArn: pulumi.Input<string>;
  /** Key of the secrets that previews may read. */
  previewKeyArn: pulumi.Input<string>;
}

type Statement = iam.PolicyStatement;

const document = (...Statement: Statement[]): iam.PolicyDocument => ({
  Version: "2012-10-17",
  Statement,
});

const allow = (Action: string[], ...Resource: pulumi.Input<string>[]): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

/**
 * Reads the state of stacks named preview and of this project's, and nothing else: a preview asks
 * AWS for no resource. It can't decrypt other stacks' secrets, and takes no lock.
 */
export const previewing = (reach: Reach): iam.PolicyDocument =>
  document(
    allow(["s3:ListBucket"], reach.stateArn),
    allow(
      ["s3:GetObject"],
      ...[
        ".pulumi/meta.yaml",
        ".pulumi/stacks/*/preview.*",
        `.pulumi/stacks/${pulumi.getProject()}/*`,
      ].map((path) => pulumi.interpolate`${reach.stateArn}/${path}`),
    ),
    allow(["kms:Decrypt"], reach.previewKeyArn),
    ...reached(reach),
  );

/** Makes what a stack of the service is made of: test/unit/eks holds the list against the stacks. */
export const deploying = (reach: Reach): iam.PolicyDocument =>
  document(
    allow(["s3:ListBucket"], reach.stateArn),
    allow(
      ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      pulumi.interpolate`${reach.stateArn}/.pulumi/*`,
    ),
    allow(["kms:Decrypt"], reach.secretsKeyArn, reach.previewKeyArn),
    ...reached(reach),
    allow(pushing, reach.repositoryArn),
    allow(managingStores, "*"),
    allow(managingBuckets, "arn:aws:s3:::*"),
    { ...allow(changingBuckets, reach.stateArn), Effect: "Deny" },
    allow(managingRoles, ...serviceRoles),
    allow(["iam:CreateServiceLinkedRole"], ...linkedRoles),
  );

/** The cluster's address, and a password of the registry, which opens what the role may and no more. */
const reached = ({ clusterArn }: Reach): Statement[] => [
  allow(["eks:DescribeCluster"], clusterArn),
  allow(["ecr:GetAuthorizationToken"], "*"),
];

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html */
const pushing = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:CompleteLayerUpload",
  "ecr:GetDownloadUrlForLayer",
  "ecr:InitiateLayerUpload",
  "ecr:PutImage",
  "ecr:UploadLayerPart",
];

/** RDS, ElastiCache and who reaches them. */
const managingStores = [
  "rds:*",
  "elasticache:*",
  "ec2:Describe*",
  "ec2:CreateSecurityGroup",
  "ec2:DeleteSecurityGroup",
  "ec2:AuthorizeSecurityGroup*",
  "ec2:RevokeSecurityGroup*",
  "ec2:CreateTags",
  "ec2:DeleteTags",
];

const changingBuckets = [
  "s3:CreateBucket",
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:PutBucket*",
  "s3:Put*Configuration",
];

/** Buckets, not what is in them. */
const managingBuckets = [
  ...changingBuckets,
  "s3:ListBucket",
  "s3:GetBucket*",
  "s3:Get*Configuration",
  "s3:ListTagsForResource",
  "s3:TagResource",
  "s3:UntagResource",
];

const managingRoles = [
  "iam:CreateRole",
  "iam:DeleteRole",
  "iam:GetRole",
  "iam:TagRole",
  "iam:UntagRole",
  "iam:UpdateRole",
  "iam:UpdateAssumeRolePolicy",
  "iam:PutRolePolicy",
  "iam:GetRolePolicy",
  "iam:DeleteRolePolicy",
  "iam:ListRolePolicies",
  "iam:ListAttachedRolePolicies",
  "iam:ListInstanceProfilesForRole",
];

/** Names of the roles that the service gives its pods; none of this program's is like them. */
const serviceRoles = ["backup-bucket-writer-*", "*-identity-*"].map(
  (name) => `arn:aws:iam::*:role/${name}`,
);

/** Those that AWS makes at the first database and the first cache of an account. */
const linkedRoles = ["rds", "elasticache"].map(
  (service) => `arn:aws:iam::*:role/aws-service-role/${service}.amazonaws.com/*`,
);
