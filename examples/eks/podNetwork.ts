import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import { addOn } from "./addOn";
import type { Cluster } from "./cluster";
import { federated, managedRole, serviceAccount } from "./identity";

export interface PodNetworkArgs extends ComponentArgs {
  cluster: Cluster;
}

/**
 * What a node needs before it is ready. Pods have addresses of the network, and NetworkPolicies are
 * enforced, which they are not by default:
 * https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
 */
export class PodNetwork extends Component {
  constructor(name: string, args: PodNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("PodNetwork", name, args, opts);
    const { cluster } = args;
    const role = managedRole(
      `${name}-role`,
      federated(cluster.issuer, serviceAccount("aws-node")),
      ["AmazonEKS_CNI_Policy"],
      this.child,
    );
    const values = { enableNetworkPolicy: "true" };
    addOn(`${name}-vpc-cni`, "vpc-cni", cluster, { role, values }, this.child);
    addOn(`${name}-kube-proxy`, "kube-proxy", cluster, {}, this.child);
    this.registerOutputs();
  }
}
