import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { labels } from "../names";
import type { Flow } from "./flows";

type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

export interface NetworkPoliciesArgs extends ComponentArgs {
  namespace: string;
  /** What is allowed; all else is refused, in both directions. */
  flows: Flow[];
  /** CIDRs that `operators` are in. */
  operatorNetworks: string[];
}

/** Refuses every connection that is not one of the flows. */
export class NetworkPolicies extends Component {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NetworkPolicies", name, args, opts);
    const specs = renderPolicies(args.flows, args.operatorNetworks);
    for (const [policy, spec] of Object.entries(specs)) {
      const metadata = { name: policy, namespace: args.namespace };
      new k8s.networking.v1.NetworkPolicy(`${name}-${policy}`, { metadata, spec }, this.child);
    }
    this.registerOutputs();
  }
}

const everyPod = {};

/** One policy an app, and one that refuses the rest. */
export function renderPolicies(flows: Flow[], operatorNetworks: string[]): Record<string, Spec> {
  const elsewhere: Record<string, Peer[]> = {
    anywhere: [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }],
    cluster: [{ namespaceSelector: everyPod }],
    operators: operatorNetworks.map((cidr) => ({ ipBlock: { cidr } })),
  };
  const peers = (place: string) =>
    elsewhere[place] ?? [{ podSelector: { matchLabels: labels(place) } }];
  const portsOf = ({ ports, protocol }: Flow) =>
    ports.map((port) => ({ port, protocol: protocol ?? "TCP" }));
  const apps = [...new Set(flows.flatMap(({ from, to }) => [from, to]))].filter(
    (place) => !(place in elsewhere),
  );
  // An empty list of peers would mean everybody.
  const open = flows.filter(({ from, to }) => peers(from).length > 0 && peers(to).length > 0);
  const policy = (app: string): Spec => {
    const ingress = open.filter(({ to }) => to === app);
    const egress = open.filter(({ from }) => from === app);
    return {
      podSelector: { matchLabels: labels(app) },
      policyTypes: ["Ingress", "Egress"],
      ingress: ingress.map((flow) => ({ from: peers(flow.from), ports: portsOf(flow) })),
      egress: [
        ...(egress.length > 0 ? [dns] : []),
        ...egress.map((flow) => ({ to: peers(flow.to), ports: portsOf(flow) })),
      ],
    };
  };
  return {
    "default-deny": { podSelector: everyPod, policyTypes: ["Ingress", "Egress"] },
    ...Object.fromEntries(apps.map((app) => [app, policy(app)])),
  };
}

/** The cluster's DNS, and a cache of it on each node where there is one. */
const dns: k8s.types.input.networking.v1.NetworkPolicyEgressRule = {
  to: [
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
    { ipBlock: { cidr: "169.254.20.10/32" } },
  ],
  ports: [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ],
};
