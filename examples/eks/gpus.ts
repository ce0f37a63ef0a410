import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import type { Cluster } from "./cluster";

export interface GpusArgs extends ComponentArgs {
  cluster: Cluster;
}

/**
 * NVIDIA's device plugin, by which nodes offer `nvidia.com/gpu`, and the labels that tell a GPU's kind.
 * The nodes' image has the rest; the GPU operator is for images without:
 * https://docs.aws.amazon.com/eks/latest/userguide/ml-eks-k8s-device-plugin.html
 * https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/amazon-eks.html
 */
export class Gpus extends Component {
  constructor(name: string, args: GpusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Gpus", name, args, opts);
    new k8s.helm.v3.Release(
      `${name}-device-plugin`,
      {
        chart: "nvidia-device-plugin",
        version: "0.19.3",
        repositoryOpts: { repo: "https://nvidia.github.io/k8s-device-plugin" },
        namespace: "nvidia",
        createNamespace: true,
        values: { gfd: { enabled: true } },
      },
      { ...this.child, provider: args.cluster.provider },
    );
    this.registerOutputs();
  }
}
