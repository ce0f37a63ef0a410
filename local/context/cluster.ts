import { UserError } from "../errors";
import type { Kubectl } from "./kubectl";
import { podNetwork } from "./network";

export interface Node {
  metadata: { name: string };
  spec: { podCIDRs?: string[]; unschedulable?: boolean; taints?: { effect: string }[] };
  status: { capacity: Record<string, string>; nodeInfo: { architecture: string } };
}

interface Pod {
  spec: { hostNetwork?: boolean };
  status: { podIP?: string };
}

interface StorageClass {
  metadata: { annotations?: Record<string, string> };
}

/** What the stack's configuration and its images have to know of somebody else's cluster. */
export interface ClusterFacts {
  nodes: Node[];
  /** Docker's name of what the nodes run. */
  platform: string;
  clusterDns: string;
  podNetwork: string;
}

/** What the user says of it, where it can't be read. */
export interface Named {
  clusterDns?: string;
  podNetwork?: string;
}

/** @throws UserError for what the cluster lacks, or what has to be named */
export async function readCluster(kubectl: Kubectl, named: Named): Promise<ClusterFacts> {
  const [nodes, services, classes] = await Promise.all([
    kubectl.list<Node>("nodes"),
    kubectl.list<{ metadata: { name: string } }>(
      ...["services", "--namespace=kube-system", "--selector=k8s-app=kube-dns"],
    ),
    kubectl.list<StorageClass>("storageclasses"),
  ]);
  requireDefaultClass(kubectl.context, classes);
  return {
    nodes,
    platform: platformOf(nodes),
    clusterDns: named.clusterDns ?? dnsHost(services.map(({ metadata }) => metadata.name)),
    podNetwork: named.podNetwork ?? (await readPodNetwork(kubectl, nodes)),
  };
}

/** Docker builds and pulls for one. */
export function platformOf(nodes: readonly Node[]): string {
  const found = [...new Set(nodes.map(({ status }) => status.nodeInfo.architecture))];
  if (found.length === 1) return `linux/${found[0]}`;
  throw new UserError(
    `images are made for one architecture, and the cluster's nodes have ${found.length}: ${found.join(", ")}`,
    "use a cluster whose nodes are all of one",
  );
}

/** @param services names of those in kube-system with the label that every DNS of Kubernetes has */
export function dnsHost(services: readonly string[]): string {
  if (services[0] !== undefined) return `${services[0]}.kube-system.svc.cluster.local`;
  throw new UserError(
    "the cluster's DNS is no Service of kube-system with the label k8s-app=kube-dns",
    "name it: --cluster-dns SERVICE.NAMESPACE.svc.cluster.local",
  );
}

async function readPodNetwork(kubectl: Kubectl, nodes: readonly Node[]): Promise<string> {
  const pods = await kubectl.list<Pod>("pods", "--all-namespaces");
  const network = podNetwork(
    nodes.flatMap(({ spec }) => spec.podCIDRs ?? []),
    pods.flatMap(({ spec, status }) => (spec.hostNetwork ? [] : (status.podIP ?? []))),
  );
  if (network !== undefined) return network;
  throw new UserError(
    "the network of the cluster's pods can't be read from its nodes",
    "name it, as the network plugin's configuration does: --pod-network 10.244.0.0/16",
  );
}

function requireDefaultClass(context: string, classes: readonly StorageClass[]): void {
  const mark = "storageclass.kubernetes.io/is-default-class";
  if (classes.some(({ metadata }) => metadata.annotations?.[mark] === "true")) return;
  throw new UserError(
    `context ${context} has no default storage class, and the stack's volumes name none`,
    `mark one: kubectl --context ${context} annotate storageclass NAME ${mark}=true`,
  );
}
