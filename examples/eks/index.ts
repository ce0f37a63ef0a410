import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import type { Infrastructure } from "../../config/infrastructure";
import { admit } from "./access";
import { addOn } from "./addOn";
import { Ci } from "./ci";
import { Cluster } from "./cluster";
import { loadConfig } from "./config";
import { GpuPool } from "./gpuPool";
import { Gpus } from "./gpus";
import { Karpenter } from "./karpenter";
import { Network } from "./network";
import { NodeGroup } from "./nodeGroup";
import { PodNetwork } from "./podNetwork";
import { Registry } from "./registry";
import { State } from "./state";
import { Storage } from "./storage";

const config = loadConfig();
const { region, zones, protect, github } = config;
const name = `image-service-${pulumi.getStack()}`;
const aws = new Provider("aws", {
  region: region as Region,
  defaultTags: { tags: { "image-service": name } },
});
const options = { providers: [aws] };
/** Of nodes with a GPU. */
const diskGiB = 100;

const network = new Network("network", { cidr: config.network, region, zones }, options);
const { vpcId, subnetIds } = network;
const cluster = new Cluster(
  "cluster",
  {
    clusterName: name,
    version: config.kubernetesVersion,
    subnetIds,
    apiNetworks: config.apiNetworks,
    region,
    protect,
  },
  options,
);
for (const [index, arn] of config.admins.entries()) {
  admit(`admin-${index}`, cluster, arn, "AmazonEKSClusterAdminPolicy", { provider: aws });
}
const podNetwork = new PodNetwork("pod-network", { cluster }, options);
const nodes = new NodeGroup(
  "nodes",
  { cluster, subnetIds, diskGiB: 50, gpu: false, ...config.nodes },
  { ...options, dependsOn: podNetwork },
);
const gpuNodes =
  config.gpuNodes.count > 0 &&
  new NodeGroup(
    "gpu-nodes",
    { cluster, subnetIds, diskGiB, gpu: true, ...config.gpuNodes },
    { ...options, dependsOn: podNetwork },
  );
const ready = { ...options, dependsOn: nodes };
addOn("cluster-dns", "coredns", cluster, {}, { provider: aws, dependsOn: nodes });
const storage = new Storage("storage", { cluster, vpcId, subnetIds, zones, protect }, ready);
new Gpus("gpus", { cluster }, { ...options, dependsOn: gpuNodes ? [nodes, gpuNodes] : nodes });
if (config.karpenter.maxGpus > 0) {
  const karpenter = new Karpenter("karpenter", { cluster }, ready);
  const args = { cluster, karpenter, subnetIds, diskGiB, ...config.karpenter };
  new GpuPool("gpu-pool", args, options);
}

const registry = new Registry("registry", { repositoryName: name }, options);
const state = new State("state", { alias: name, region }, options);
const ci =
  github &&
  new Ci(
    "ci",
    {
      github,
      cluster,
      clusterArn: cluster.arn,
      repositoryArn: registry.arn,
      stateArn: state.bucketArn,
      secretsKeyArn: state.secrets.keyArn,
      previewKeyArn: state.previewSecrets.keyArn,
    },
    options,
  );

/** What `infrastructure` in the configuration of the service's stack reads. */
const configuration: Infrastructure = {
  context: cluster.arn,
  podNetwork: config.network,
  aws: {
    region,
    vpcId,
    subnetIds,
    clientNetworks: [config.network],
    oidcProviderArn: cluster.issuer.arn,
  },
  models: { storageClass: storage.shared },
  build: {
    repository: registry.repository,
  },
};

export = {
  configuration,
  clusterName: cluster.name,
  backend: state.backend,
  secretsProvider: state.secrets.provider,
  previewSecretsProvider: state.previewSecrets.provider,
  ...(ci && { previewRole: ci.preview, deployRole: ci.deploy }),
};

type Region = ConstructorParameters<typeof Provider>[1] extends { region?: infer R } | undefined
  ? R
  : never;
