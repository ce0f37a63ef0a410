import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import type { Cluster } from "./cluster";
import type { Karpenter } from "./karpenter";

export interface GpuPoolArgs extends ComponentArgs {
  cluster: Cluster;
  karpenter: Karpenter;
  subnetIds: pulumi.Input<string>[];
  /** Like g6.xlarge; the cheapest that there is of them is taken. */
  instanceTypes: string[];
  /** Most GPUs at a time. */
  maxGpus: number;
  /** Size of each node's disk, in GiB, which holds images. */
  diskGiB: number;
}

/**
 * Nodes with GPUs, as many as workers ask for: of spot while there is any, else on demand.
 * https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/pkg/apis/crds
 */
export class GpuPool extends Component {
  constructor(name: string, args: GpuPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("GpuPool", name, args, opts);
    const inCluster = {
      ...this.child,
      provider: args.cluster.provider,
      dependsOn: args.karpenter.installed,
    };
    const nodeClass = new k8s.apiextensions.CustomResource(
      `${name}-class`,
      {
        apiVersion: "karpenter.k8s.aws/v1",
        kind: "EC2NodeClass",
        metadata: { name },
        spec: {
          role: args.karpenter.nodeRole,
          // Of an instance with a GPU the image with NVIDIA's driver and container toolkit:
          // https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/pkg/providers/amifamily/al2023.go
          amiSelectorTerms: [{ alias: "al2023@latest" }],
          subnetSelectorTerms: args.subnetIds.map((id) => ({ id })),
          securityGroupSelectorTerms: [{ id: args.cluster.securityGroupId }],
          metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
          blockDeviceMappings: [
            {
              deviceName: "/dev/xvda",
              ebs: { volumeType: "gp3", volumeSize: `${args.diskGiB}Gi`, encrypted: true },
            },
          ],
        },
      },
      inCluster,
    );
    new k8s.apiextensions.CustomResource(
      `${name}-nodes`,
      {
        apiVersion: "karpenter.sh/v1",
        kind: "NodePool",
        metadata: { name },
        spec: {
          limits: { "nvidia.com/gpu": String(args.maxGpus) },
          disruption: {
            // What draws stays where it is: workers leave by their scaler, the idle ones first, and
            // a node goes once it has none.
            consolidationPolicy: "WhenEmpty",
            // The next task may come: a new node takes minutes.
            consolidateAfter: "5m",
            budgets: [
              { nodes: "100%", reasons: ["Empty"] },
              // New images of the nodes, one node at a time.
              { nodes: "1", reasons: ["Drifted"] },
            ],
          },
          template: {
            metadata: { labels: { "nvidia.com/gpu.present": "true" } },
            spec: {
              nodeClassRef: {
                group: "karpenter.k8s.aws",
                kind: "EC2NodeClass",
                name: nodeClass.metadata.name,
              },
              // Who must go has this long, do-not-disrupt or not; a worker needs two minutes.
              terminationGracePeriod: "15m",
              requirements: [
                {
                  key: "node.kubernetes.io/instance-type",
                  operator: "In",
                  values: args.instanceTypes,
                },
                // Of the two spot comes first:
                // https://karpenter.sh/docs/concepts/nodepools/#capacity-type
                {
                  key: "karpenter.sh/capacity-type",
                  operator: "In",
                  values: ["spot", "on-demand"],
                },
              ],
              taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }],
            },
          },
        },
      },
      inCluster,
    );
    this.registerOutputs();
  }
}
