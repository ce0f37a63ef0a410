import type * as iam from "@pulumi/aws/iam";

/** Of what Karpenter makes, changes and deletes, and no more. */
export interface KarpenterReach {
  clusterName: string;
  /** Like arn:aws:eks:eu-central-1:111122223333:cluster/NAME. */
  clusterArn: string;
  nodeRoleArn: string;
  queueArn: string;
}

type Statement = iam.PolicyStatement;

/**
 * Statement by statement as Karpenter's own template has it, but for the shift of zones, which is off.
 * https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/website/content/en/docs/getting-started/getting-started-with-karpenter/cloudformation.yaml
 */
export function karpenterPolicy(reach: KarpenterReach): iam.PolicyDocument {
  const { clusterName, clusterArn, nodeRoleArn, queueArn } = reach;
  const [, partition, , region, account] = clusterArn.split(":") as [
    string,
    string,
    string,
    string,
    string,
  ];
  const owned = `kubernetes.io/cluster/${clusterName}`;
  const ec2 = (...kinds: string[]) =>
    kinds.map((kind) => `arn:${partition}:ec2:${region}:*:${kind}/*`);
  const published = (...kinds: string[]) =>
    kinds.map((kind) => `arn:${partition}:ec2:${region}::${kind}/*`);
  const profiles = `arn:${partition}:iam::${account}:instance-profile/*`;
  const tagged = [
    "fleet",
    "instance",
    "volume",
    "network-interface",
    "launch-template",
    "spot-instances-request",
  ];
  const ownedByCluster = { [`aws:ResourceTag/${owned}`]: "owned" };
  const ownedByPool = {
    StringEquals: ownedByCluster,
    StringLike: { "aws:ResourceTag/karpenter.sh/nodepool": "*" },
  };
  const asOwned = {
    [`aws:RequestTag/${owned}`]: "owned",
    "aws:RequestTag/eks:eks-cluster-name": clusterName,
  };
  const asOwnedByPool = {
    StringEquals: asOwned,
    StringLike: { "aws:RequestTag/karpenter.sh/nodepool": "*" },
  };
  const asOwnedHere = { ...asOwned, "aws:RequestTag/topology.kubernetes.io/region": region };
  const ownedHere = {
    ...ownedByCluster,
    "aws:ResourceTag/topology.kubernetes.io/region": region,
  };
  const ofClass = { "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": "*" };
  const asOfClass = { "aws:RequestTag/karpenter.k8s.aws/ec2nodeclass": "*" };
  return {
    Version: "2012-10-17",
    Statement: [
      allow(
        ["ec2:RunInstances", "ec2:CreateFleet"],
        [
          ...published("image", "snapshot"),
          ...ec2("security-group", "subnet", "capacity-reservation", "placement-group"),
        ],
      ),
      allow(["ec2:RunInstances", "ec2:CreateFleet"], ec2("launch-template"), ownedByPool),
      allow(
        ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"],
        ec2(...tagged),
        asOwnedByPool,
      ),
      allow(["ec2:CreateTags"], ec2(...tagged), {
        ...asOwnedByPool,
        StringEquals: {
          ...asOwned,
          "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
        },
      }),
      allow(["ec2:CreateTags"], ec2("instance"), {
        ...ownedByPool,
        StringEqualsIfExists: { "aws:RequestTag/eks:eks-cluster-name": clusterName },
        "ForAllValues:StringEquals": {
          "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"],
        },
      }),
      allow(
        ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
        ec2("instance", "launch-template"),
        ownedByPool,
      ),
      allow(["iam:PassRole"], [nodeRoleArn], {
        StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] },
      }),
      allow(["iam:CreateInstanceProfile"], [profiles], {
        StringEquals: asOwnedHere,
        StringLike: asOfClass,
      }),
      allow(["iam:TagInstanceProfile"], [profiles], {
        StringEquals: { ...ownedHere, ...asOwnedHere },
        StringLike: { ...ofClass, ...asOfClass },
      }),
      allow(
        [
          "iam:AddRoleToInstanceProfile",
          "iam:RemoveRoleFromInstanceProfile",
          "iam:DeleteInstanceProfile",
        ],
        [profiles],
        { StringEquals: ownedHere, StringLike: ofClass },
      ),
      allow(["eks:DescribeCluster"], [clusterArn]),
      allow(["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"], [queueArn]),
      allow(
        [
          "ec2:DescribeCapacityReservations",
          "ec2:DescribeImages",
          "ec2:DescribeInstances",
          "ec2:DescribeInstanceStatus",
          "ec2:DescribeInstanceTypeOfferings",
          "ec2:DescribeInstanceTypes",
          "ec2:DescribeLaunchTemplates",
          "ec2:DescribePlacementGroups",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSpotPriceHistory",
          "ec2:DescribeSubnets",
        ],
        ["*"],
        { StringEquals: { "aws:RequestedRegion": region } },
      ),
      allow(["ssm:GetParameter"], [`arn:${partition}:ssm:${region}::parameter/aws/service/*`]),
      allow(["pricing:GetProducts", "iam:ListInstanceProfiles"], ["*"]),
      allow(["iam:GetInstanceProfile"], [profiles]),
    ],
  };
}

/** AWS's own services put notices into the queue, and nobody sends or reads them in the clear. */
export const noticesPolicy = (Resource: string): iam.PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: ["events.amazonaws.com", "sqs.amazonaws.com"] },
      Action: "sqs:SendMessage",
      Resource,
    },
    {
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ],
});

const allow = (
  Action: string[],
  Resource: string[],
  Condition?: Statement["Condition"],
): Statement => ({ Effect: "Allow", Action, Resource, ...(Condition && { Condition }) });
