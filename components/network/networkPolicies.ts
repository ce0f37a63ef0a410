import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { labels } from "../names";
import { podIdentityAgent } from "../vendors";
import type { Flow, Peer, Place } from "./flows";

type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
type PolicyPeer = k8s.types.input.networking.v1.NetworkPolicyPeer;

export interface NetworkPoliciesArgs extends ComponentArgs {
  namespace: string;
  /** What is allowed; all else is refused, in both directions. */
  flows: Flow[];
  /** CIDRs that `operators` are in. */
  operatorNetworks: string[];
  dns: Dns;
}

/** Where pods find DNS. */
export interface Dns {
  /** Host name of its Service, whose namespace its pods are in; or an address of `networks`. */
  host: string;
  /** CIDRs of servers that are no pods. */
  networks: string[];
  /** Port on which its pods listen, behind the Service's 53. */
  port: number;
}

/** Refuses every connection that is not one of the flows. */
export class NetworkPolicies extends Component {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NetworkPolicies", name, args, opts);
    const specs = renderPolicies(args.flows, args.operatorNetworks, args.dns);
    for (const [policy, spec] of Object.entries(specs)) {
      const metadata = { name: policy, namespace: args.namespace };
      new k8s.networking.v1.NetworkPolicy(`${name}-${policy}`, { metadata, spec }, this.child);
    }
    this.registerOutputs();
  }
}

const everyPod = {};

/** One policy an app, and one that refuses the rest. */
export function renderPolicies(
  flows: Flow[],
  operatorNetworks: string[],
  dns: Dns,
): Record<string, Spec> {
  const places: Record<Place, PolicyPeer[]> = {
    anywhere: [
      { ipBlock: { cidr: "0.0.0.0/0" } },
      { ipBlock: { cidr: "::/0" } },
      // For Cilium no pod is in a CIDR: https://github.com/cilium/cilium/issues/9209
      { namespaceSelector: everyPod },
    ],
    cluster: [{ namespaceSelector: everyPod }],
    operators: operatorNetworks.map((cidr) => ({ ipBlock: { cidr } })),
    agent: podIdentityAgent.networks.map((cidr) => ({ ipBlock: { cidr } })),
  };
  const peers = (peer: Peer): PolicyPeer[] => {
    if (typeof peer === "string") return places[peer];
    return "app" in peer
      ? [{ podSelector: { matchLabels: labels(peer.app) } }]
      : [{ namespaceSelector: namespaceNamed(peer.namespace) }];
  };
  const portsOf = ({ ports, protocol }: Flow) =>
    ports.map((port) => ({ port, protocol: protocol ?? "TCP" }));
  const appOf = (peer: Peer) => (typeof peer !== "string" && "app" in peer ? peer.app : undefined);
  const ends = flows.flatMap(({ from, to }) => [appOf(from), appOf(to)]);
  const apps = [...new Set(ends)].filter((app) => app !== undefined);
  // An empty list of peers would mean everybody.
  const open = flows.filter(({ from, to }) => peers(from).length > 0 && peers(to).length > 0);
  const policy = (app: string): Spec => {
    const ingress = open.filter(({ to }) => appOf(to) === app);
    const egress = open.filter(({ from }) => appOf(from) === app);
    return {
      podSelector: { matchLabels: labels(app) },
      policyTypes: ["Ingress", "Egress"],
      ingress: once(ingress.map((flow) => ({ from: peers(flow.from), ports: portsOf(flow) }))),
      egress: [
        ...(egress.length > 0 ? [toDns(dns)] : []),
        ...once(egress.map((flow) => ({ to: peers(flow.to), ports: portsOf(flow) }))),
      ],
    };
  };
  return {
    "default-deny": { podSelector: everyPod, policyTypes: ["Ingress", "Egress"] },
    ...Object.fromEntries(apps.map((app) => [app, policy(app)])),
  };
}

/** By the label that Kubernetes gives each namespace. */
const namespaceNamed = (name: string) => ({
  matchLabels: { "kubernetes.io/metadata.name": name },
});

/** Several parts may need the same, such as two buckets of one server. */
const once = <Rule>(rules: Rule[]): Rule[] => [
  ...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values(),
];

/** Some plugins look at the Service's port, some at its pods'. */
function toDns({
  host,
  networks,
  port,
}: Dns): k8s.types.input.networking.v1.NetworkPolicyEgressRule {
  const namespace = /^[^.]+\.([^.]+)\.svc(\.|$)/.exec(host)?.[1];
  return {
    to: [
      ...(namespace ? [{ namespaceSelector: namespaceNamed(namespace) }] : []),
      ...networks.map((cidr) => ({ ipBlock: { cidr } })),
    ],
    ports: [...new Set([53, port])].flatMap((number) => [
      { port: number, protocol: "UDP" },
      { port: number, protocol: "TCP" },
    ]),
  };
}
