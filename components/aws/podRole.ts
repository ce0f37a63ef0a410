import * as eks from "@pulumi/aws/eks";
import * as iam from "@pulumi/aws/iam";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { podIdentityService, oidcProviderArn as providerArn, stsAudience } from "../vendors";
import { allow, type BucketAccess, policy } from "./bucketAccess";

export interface PodRoleArgs extends ComponentArgs {
  /** Namespace of the service account. */
  namespace: string;
  /** Name of the service account that the pods run as. */
  account: string;
  access: BucketAccess[];
  giver: RoleGiver;
}

/** Who vouches for a cluster's pods before AWS. */
export type RoleGiver =
  /**
   * The cluster's own tokens (IRSA): ARN of its identity provider in IAM.
   * https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
   */
  | { oidcProviderArn: string }
  /**
   * The EKS Pod Identity agent of its nodes: name of the cluster.
   * https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
   */
  | { eksCluster: string };

/** A role of AWS for the pods of one service account, and for nobody else. */
export class PodRole extends Component {
  readonly account: string;
  /** ARN for the service account's annotation; the agent needs none. */
  readonly annotated?: pulumi.Output<string>;

  constructor(name: string, args: PodRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("PodRole", name, args, opts);
    const { namespace, account, giver } = args;
    this.account = account;
    const role = new iam.Role(`${name}-identity`, { assumeRolePolicy: trust(args) }, this.child);
    new iam.RolePolicy(
      `${name}-policy`,
      { role: role.name, policy: allow(args.access) },
      this.child,
    );
    if ("eksCluster" in giver) {
      new eks.PodIdentityAssociation(
        `${name}-association`,
        {
          clusterName: giver.eksCluster,
          namespace,
          serviceAccount: account,
          roleArn: role.arn,
        },
        this.child,
      );
    } else {
      this.annotated = role.arn;
    }
    this.registerOutputs({ annotated: this.annotated });
  }
}

const trust = ({ giver, namespace, account }: PodRoleArgs): iam.PolicyDocument =>
  policy([
    "eksCluster" in giver
      ? byAgent(giver, namespace, account)
      : byTokens(giver, namespace, account),
  ]);

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html, Setting Conditions */
const byAgent = (
  { eksCluster }: { eksCluster: string },
  namespace: string,
  account: string,
): iam.PolicyStatement => ({
  Effect: "Allow",
  Principal: { Service: podIdentityService },
  Action: ["sts:AssumeRole", "sts:TagSession"],
  Condition: {
    StringEquals: {
      "aws:RequestTag/eks-cluster-name": eksCluster,
      "aws:RequestTag/kubernetes-namespace": namespace,
      "aws:RequestTag/kubernetes-service-account": account,
    },
  },
});

/** https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html */
function byTokens(
  { oidcProviderArn }: { oidcProviderArn: string },
  namespace: string,
  account: string,
): iam.PolicyStatement {
  const [, issuer] = providerArn.exec(oidcProviderArn) ?? [];
  return {
    Effect: "Allow",
    Principal: { Federated: oidcProviderArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${account}`,
        [`${issuer}:aud`]: stsAudience,
      },
    },
  };
}
