import * as ec2 from "@pulumi/aws/ec2";
import type * as pulumi from "@pulumi/pulumi";

/** Where a managed store stands in AWS, and who may reach it. */
export interface StoreNetwork {
  vpcId: pulumi.Input<string>;
  /** Private subnets in at least two availability zones. */
  subnetIds: pulumi.Input<string>[];
  /** Networks, as CIDRs, that clients come from: the cluster's nodes or pods. */
  clients: string[];
}

/** Lets clients in on the store's port, and the store out to nobody. */
export function storeSecurityGroup(
  name: string,
  { vpcId, clients }: StoreNetwork,
  port: number,
  opts: pulumi.CustomResourceOptions,
): ec2.SecurityGroup {
  return new ec2.SecurityGroup(
    `${name}-security-group`,
    {
      description: `Clients of ${name}`,
      vpcId,
      ingress: [{ protocol: "tcp", fromPort: port, toPort: port, cidrBlocks: clients }],
      egress: [],
    },
    opts,
  );
}
