import * as eks from "@pulumi/aws/eks";
import type * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster";

/**
 * What somebody may do in the whole cluster, Kubernetes' own role of that name:
 * https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
 */
export type AccessPolicy = "AmazonEKSClusterAdminPolicy" | "AmazonEKSViewPolicy";

/** Lets a user or role of IAM into the cluster. */
export function admit(
  name: string,
  cluster: Cluster,
  principalArn: pulumi.Input<string>,
  policy: AccessPolicy,
  opts: pulumi.CustomResourceOptions,
): void {
  const who = { clusterName: cluster.name, principalArn };
  const entry = new eks.AccessEntry(`${name}-entry`, who, opts);
  new eks.AccessPolicyAssociation(
    `${name}-policy`,
    {
      ...who,
      policyArn: `arn:aws:eks::aws:cluster-access-policy/${policy}`,
      accessScope: { type: "cluster" },
    },
    { ...opts, dependsOn: entry },
  );
}
