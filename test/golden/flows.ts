import type { Props } from "../../policy/resource";
import type { Stack } from "./whole";

/** A connection that a policy opens. Its ends are apps, networks as CIDRs, or `pods` of any namespace. */
export interface OpenFlow {
  from: string;
  to: string;
  ports: number[];
  /** Of which of its ends the policy is. */
  policy: "ingress" | "egress";
}

/** What a stack's policies open; a connection between apps takes both of theirs. */
export function flowsOf(stack: Stack): OpenFlow[] {
  const policies = Object.values(stack).filter(({ type }) => type.endsWith(":NetworkPolicy"));
  return policies.flatMap(({ inputs }) => {
    const { podSelector, ingress = [], egress = [] } = (inputs as Props).spec;
    const app = podSelector.matchLabels?.app as string;
    return [
      ...ends(egress, "to").map(({ end, ports }) => ({
        from: app,
        to: end,
        ports,
        policy: "egress" as const,
      })),
      ...ends(ingress, "from").map(({ end, ports }) => ({
        from: end,
        to: app,
        ports,
        policy: "ingress" as const,
      })),
    ];
  });
}

const ends = (rules: Props[], side: "from" | "to") =>
  rules.flatMap((rule) => {
    const ports = [...new Set((rule.ports as Props[]).map(({ port }) => port as number))];
    return (rule[side] as Props[]).map((peer) => ({ end: nameOf(peer), ports }));
  });

const nameOf = ({ podSelector, ipBlock, namespaceSelector }: Props): string =>
  podSelector?.matchLabels.app ??
  ipBlock?.cidr ??
  namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ??
  "pods";
