import * as ec2 from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";

export interface NetworkArgs extends ComponentArgs {
  /** A /16, like 10.0.0.0/16. */
  cidr: string;
  region: string;
  /** Letters of availability zones. */
  zones: string[];
}

/** A network in which nodes have no public address; they reach out by a NAT gateway in each zone. */
export class Network extends Component {
  readonly vpcId: pulumi.Output<string>;
  /** Private, one a zone. */
  readonly subnetIds: pulumi.Output<string>[];

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Network", name, args, opts);
    const vpc = new ec2.Vpc(
      `${name}-vpc`,
      // The private endpoint of EKS is a name in it.
      { cidrBlock: args.cidr, enableDnsSupport: true, enableDnsHostnames: true },
      this.child,
    );
    const vpcId = vpc.id;
    const internet = new ec2.InternetGateway(`${name}-internet`, { vpcId }, this.child);
    const outside = new ec2.RouteTable(
      `${name}-routes`,
      { vpcId, routes: [{ cidrBlock: anywhere, gatewayId: internet.id }] },
      this.child,
    );
    const zones = zonesOf(args).map(({ letter, availabilityZone, publicCidr, privateCidr }) => {
      const gate = new ec2.Subnet(
        `${name}-public-${letter}`,
        { vpcId, availabilityZone, cidrBlock: publicCidr, tags: loadBalancers("elb") },
        this.child,
      );
      new ec2.RouteTableAssociation(
        `${name}-public-${letter}-routed`,
        { subnetId: gate.id, routeTableId: outside.id },
        this.child,
      );
      const address = new ec2.Eip(`${name}-address-${letter}`, { domain: "vpc" }, this.child);
      const nat = new ec2.NatGateway(
        `${name}-nat-${letter}`,
        { subnetId: gate.id, allocationId: address.id },
        { ...this.child, dependsOn: internet },
      );
      const subnet = new ec2.Subnet(
        `${name}-private-${letter}`,
        { vpcId, availabilityZone, cidrBlock: privateCidr, tags: loadBalancers("internal-elb") },
        this.child,
      );
      const routes = new ec2.RouteTable(
        `${name}-routes-${letter}`,
        { vpcId, routes: [{ cidrBlock: anywhere, natGatewayId: nat.id }] },
        this.child,
      );
      const association = new ec2.RouteTableAssociation(
        `${name}-private-${letter}-routed`,
        { subnetId: subnet.id, routeTableId: routes.id },
        this.child,
      );
      // Whoever stands in the subnet gets out of it.
      const id = pulumi.all([subnet.id, association.id]).apply(([id]) => id);
      return { id, routes: routes.id };
    });
    // Pictures, backups and the layers of images, which ECR keeps there, pass no NAT gateway.
    new ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId,
        serviceName: `com.amazonaws.${args.region}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: zones.map(({ routes }) => routes),
      },
      this.child,
    );
    this.vpcId = vpcId;
    this.subnetIds = zones.map(({ id }) => id);
    this.registerOutputs({ vpcId, subnetIds: this.subnetIds });
  }
}

const anywhere = "0.0.0.0/0";

/** Each zone's parts of the network: 8,190 addresses for nodes and pods, 254 for gateways. */
function zonesOf({ cidr, region, zones }: NetworkArgs) {
  const prefix = cidr.split(".").slice(0, 2).join(".");
  return zones.map((letter, index) => ({
    letter,
    availabilityZone: `${region}${letter}`,
    privateCidr: `${prefix}.${32 * index}.0/19`,
    publicCidr: `${prefix}.${240 + index}.0/24`,
  }));
}

/** https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#network-requirements-subnets */
const loadBalancers = (role: "elb" | "internal-elb") => ({ [`kubernetes.io/role/${role}`]: "1" });
