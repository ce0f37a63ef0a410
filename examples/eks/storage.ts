import * as ec2 from "@pulumi/aws/ec2";
import * as efs from "@pulumi/aws/efs";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import { addOn } from "./addOn";
import type { Cluster } from "./cluster";
import { federated, managedRole, serviceAccount } from "./identity";

export interface StorageArgs extends ComponentArgs {
  cluster: Cluster;
  vpcId: pulumi.Input<string>;
  /** One a zone. */
  subnetIds: pulumi.Input<string>[];
  /** Letters of their zones. */
  zones: string[];
  /** Refuses to delete the file system. */
  protect: boolean;
}

const nfs = 2049;

/** Volumes: `gp3`, which is the default, for one node at a time; `efs` for all nodes at once. */
export class Storage extends Component {
  /** Class of volumes that all nodes mount. */
  readonly shared: pulumi.Output<string>;

  constructor(name: string, args: StorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Storage", name, args, opts);
    const { cluster, vpcId, subnetIds, zones } = args;
    const disks = addOn(
      `${name}-ebs`,
      "aws-ebs-csi-driver",
      cluster,
      {
        role: managedRole(
          `${name}-ebs-role`,
          federated(cluster.issuer, serviceAccount("ebs-csi-controller-sa")),
          ["service-role/AmazonEBSCSIDriverPolicy"],
          this.child,
        ),
      },
      this.child,
    );
    const files = addOn(
      `${name}-efs`,
      "aws-efs-csi-driver",
      cluster,
      {
        role: managedRole(
          `${name}-efs-role`,
          // Its controller and its nodes.
          federated(cluster.issuer, serviceAccount("efs-csi-*")),
          ["service-role/AmazonEFSCSIDriverPolicy"],
          this.child,
        ),
      },
      this.child,
    );
    const fileSystem = new efs.FileSystem(
      `${name}-files`,
      { encrypted: true, throughputMode: "elastic" },
      { ...this.child, protect: args.protect },
    );
    const nodes = new ec2.SecurityGroup(
      `${name}-nfs`,
      {
        description: "The cluster's nodes reach the file system",
        vpcId,
        ingress: [
          {
            protocol: "tcp",
            fromPort: nfs,
            toPort: nfs,
            securityGroups: [cluster.securityGroupId],
          },
        ],
        egress: [],
      },
      this.child,
    );
    const targets = zones.map(
      (zone, index) =>
        new efs.MountTarget(
          `${name}-files-${zone}`,
          {
            fileSystemId: fileSystem.id,
            subnetId: subnetIds[index] as pulumi.Input<string>,
            securityGroups: [nodes.id],
          },
          this.child,
        ),
    );
    const inCluster = { ...this.child, provider: cluster.provider };
    new k8s.storage.v1.StorageClass(
      `${name}-gp3`,
      {
        metadata: {
          name: "gp3",
          annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        provisioner: "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true" },
        allowVolumeExpansion: true,
        // A disk stands in one zone: that of the pod.
        volumeBindingMode: "WaitForFirstConsumer",
      },
      { ...inCluster, dependsOn: disks },
    );
    this.shared = new k8s.storage.v1.StorageClass(
      `${name}-shared`,
      {
        metadata: { name: "efs" },
        provisioner: "efs.csi.aws.com",
        // An access point a volume: all who mount it write as one user, whatever theirs is.
        parameters: {
          provisioningMode: "efs-ap",
          fileSystemId: fileSystem.id,
          directoryPerms: "700",
        },
      },
      { ...inCluster, dependsOn: [files, ...targets] },
    ).metadata.name;
    this.registerOutputs({ shared: this.shared });
  }
}
