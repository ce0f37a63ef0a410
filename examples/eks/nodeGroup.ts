import * as ec2 from "@pulumi/aws/ec2";
import * as eks from "@pulumi/aws/eks";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import type { Cluster } from "./cluster";
import { managedRole, servicePrincipal } from "./identity";

export interface NodeGroupArgs extends ComponentArgs {
  cluster: Cluster;
  subnetIds: pulumi.Input<string>[];
  /** Like m7i.large. */
  instanceType: string;
  count: number;
  /** Size of each node's disk, in GiB, which holds images. */
  diskGiB: number;
  /** With NVIDIA's driver and container toolkit; tainted so that only pods with GPUs come. */
  gpu: boolean;
}

/** Nodes of one kind, kept at their number by AWS. Pods can't take on the nodes' role. */
export class NodeGroup extends Component {
  constructor(name: string, args: NodeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NodeGroup", name, args, opts);
    const { cluster, count, diskGiB } = args;
    const template = new ec2.LaunchTemplate(
      `${name}-template`,
      {
        updateDefaultVersion: true,
        // https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
        metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
          {
            deviceName: "/dev/xvda",
            ebs: { volumeType: "gp3", volumeSize: diskGiB, encrypted: "true" },
          },
        ],
        tagSpecifications: [
          { resourceType: "instance", tags: { Name: pulumi.interpolate`${cluster.name}-${name}` } },
        ],
      },
      this.child,
    );
    new eks.NodeGroup(
      `${name}-group`,
      {
        clusterName: cluster.name,
        version: cluster.version,
        nodeRoleArn: managedRole(
          `${name}-role`,
          servicePrincipal("ec2.amazonaws.com"),
          ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
          this.child,
        ),
        subnetIds: args.subnetIds,
        instanceTypes: [args.instanceType],
        launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
        scalingConfig: { minSize: count, desiredSize: count, maxSize: count },
        updateConfig: { maxUnavailable: 1 },
        amiType: "AL2023_x86_64_STANDARD",
        ...(args.gpu && gpuNodes),
      },
      this.child,
    );
    this.registerOutputs();
  }
}

/**
 * The AMI brings a driver of R580 (the service's CUDA 13 asks for that) and the container toolkit:
 * https://github.com/awslabs/amazon-eks-ami/releases
 */
const gpuNodes = {
  amiType: "AL2023_x86_64_NVIDIA",
  // The label and the taint's value are those that NVIDIA's chart looks for.
  labels: { "nvidia.com/gpu.present": "true" },
  taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" }],
};
