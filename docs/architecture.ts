import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Declaration } from "../test/golden/record";
import { accepted } from "../test/golden/stacks";

// `npx tsx docs/architecture.ts` draws the diagram of docs/architecture.md from what prod declares.

type Stack = Record<string, Declaration>;
type Labels = { matchLabels: { app: string } };

interface Inputs {
  spec: {
    replicas?: number;
    template?: { metadata: { labels: { app: string } } };
    jobTemplate?: { spec: Required<Pick<Inputs["spec"], "template">> };
    podSelector: Labels;
    egress?: {
      ports: { port: number }[];
      to: { podSelector?: Labels; ipBlock?: { cidr: string } }[];
    }[];
  };
}

const file = join(__dirname, "architecture.md");

export const read = () => readFileSync(file, "utf8");

/** The page with the diagram as it has to be. */
export function render(page: string): string {
  const diagram = ["```mermaid", "flowchart LR", ...lines(accepted("prod")), "```"].join("\n");
  return page.replace(/```mermaid\n[\s\S]*?\n```/, () => diagram);
}

function lines(stack: Stack): string[] {
  const declarations = Object.values(stack);
  const nodes = declarations.flatMap(({ type, inputs }) => {
    const { spec } = inputs as Inputs;
    const app = (spec?.template ?? spec?.jobTemplate?.spec.template)?.metadata.labels.app;
    if (!app) return [];
    const many = (spec.replicas ?? 1) > 1 ? ` ×${spec.replicas}` : "";
    return `${app}["${app}${many}<br/>${type.split(":").at(-1)}"]`;
  });
  const connections = declarations.flatMap(({ type, inputs }) =>
    type.endsWith(":NetworkPolicy") ? connectionsOf(inputs as Inputs) : [],
  );
  return [...nodes, ...new Set(connections), ...cloudNodes(stack)].map((line) => `  ${line}`);
}

function connectionsOf({ spec }: Inputs): string[] {
  const from = spec.podSelector.matchLabels?.app;
  return (spec.egress ?? []).flatMap(({ ports, to }) =>
    to.flatMap(({ podSelector, ipBlock }) => {
      const target = podSelector?.matchLabels.app ?? (ipBlock?.cidr === "0.0.0.0/0" && "internet");
      const numbers = [...new Set(ports.map(({ port }) => port))].join(", ");
      return target ? [`${from} -->|${numbers}| ${target}`] : [];
    }),
  );
}

/** What a component makes outside the cluster: one node, its kinds counted. */
function cloudNodes(stack: Stack): string[] {
  const byComponent = groupBy(
    Object.values(stack).filter(({ type }) => /^(aws|cloudflare|docker-build):/.test(type)),
    ({ parent, type }) => `${parent} ${type.split(":")[0]}`,
  );
  return [...byComponent].map(([key, resources]) => {
    const [component, cloud] = key.split(" ");
    const kinds = groupBy(resources, ({ type }) => type.split(":").at(-1) as string);
    const counted = [...kinds].map(([kind, { length }]) =>
      length > 1 ? `${kind} ×${length}` : kind,
    );
    return `${component}_${cloud}(["${[`${component} (${cloud})`, ...counted].join("<br/>")}"])`;
  });
}

function groupBy<Item>(items: Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

if (require.main === module) writeFileSync(file, render(read()));
