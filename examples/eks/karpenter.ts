import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as eks from "@pulumi/aws/eks";
import * as iam from "@pulumi/aws/iam";
import * as sqs from "@pulumi/aws/sqs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import type { Cluster } from "./cluster";
import { federated, managedRole, serviceAccount, servicePrincipal } from "./identity";
import { karpenterPolicy, noticesPolicy } from "./karpenterPolicy";

export interface KarpenterArgs extends ComponentArgs {
  cluster: Cluster;
}

/**
 * What AWS tells of instances that are about to go; a spot instance has two minutes.
 * https://karpenter.sh/docs/concepts/disruption/#interruption
 */
const notices = {
  health: { source: ["aws.health"], "detail-type": ["AWS Health Event"] },
  spot: { source: ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"] },
  rebalance: { source: ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"] },
  state: { source: ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"] },
  reservation: {
    source: ["aws.ec2"],
    "detail-type": ["EC2 Capacity Reservation Instance Interruption Warning"],
  },
};

/** Makes nodes for pods that have none, and takes away those that nobody needs. */
export class Karpenter extends Component {
  /** Name of the role that its nodes take on; pods can't. */
  readonly nodeRole: pulumi.Output<string>;
  /** Once it is there, with its kinds of resources. */
  readonly installed: pulumi.Resource;

  constructor(name: string, args: KarpenterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Karpenter", name, args, opts);
    const { cluster } = args;
    const nodeRoleArn = managedRole(
      `${name}-node-role`,
      servicePrincipal("ec2.amazonaws.com"),
      ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
      this.child,
    );
    this.nodeRole = nodeRoleArn.apply((arn) => arn.replace(/.*\//, ""));
    const admitted = new eks.AccessEntry(
      `${name}-nodes`,
      { clusterName: cluster.name, principalArn: nodeRoleArn, type: "EC2_LINUX" },
      this.child,
    );
    const queue = this.queueOfNotices(name);
    const role = new iam.Role(
      `${name}-role`,
      { assumeRolePolicy: federated(cluster.issuer, serviceAccount("karpenter")) },
      this.child,
    );
    const policy = new iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.name,
        policy: pulumi
          .all([cluster.name, cluster.arn, nodeRoleArn, queue.arn])
          .apply(([clusterName, clusterArn, nodeRoleArn, queueArn]) =>
            karpenterPolicy({ clusterName, clusterArn, nodeRoleArn, queueArn }),
          ),
      },
      this.child,
    );
    this.installed = new k8s.helm.v3.Release(
      `${name}-controller`,
      {
        name: "karpenter",
        chart: "oci://public.ecr.aws/karpenter/karpenter",
        version: "1.14.1",
        namespace: "kube-system",
        // https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/charts/karpenter/values.yaml
        values: {
          settings: { clusterName: cluster.name, interruptionQueue: queue.name },
          serviceAccount: {
            name: "karpenter",
            annotations: { "eks.amazonaws.com/role-arn": role.arn },
          },
        },
      },
      { ...this.child, provider: cluster.provider, dependsOn: [policy, admitted] },
    );
    this.registerOutputs({ nodeRole: this.nodeRole });
  }

  private queueOfNotices(name: string): sqs.Queue {
    const queue = new sqs.Queue(
      `${name}-notices`,
      { messageRetentionSeconds: 300, sqsManagedSseEnabled: true },
      this.child,
    );
    new sqs.QueuePolicy(
      `${name}-notices-policy`,
      {
        queueUrl: queue.url,
        policy: queue.arn.apply(noticesPolicy),
      },
      this.child,
    );
    for (const [notice, pattern] of Object.entries(notices)) {
      const rule = new cloudwatch.EventRule(
        `${name}-on-${notice}`,
        { eventPattern: JSON.stringify(pattern) },
        this.child,
      );
      new cloudwatch.EventTarget(
        `${name}-on-${notice}-target`,
        { rule: rule.name, arn: queue.arn },
        this.child,
      );
    }
    return queue;
  }
}
