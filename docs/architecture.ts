import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flowsOf } from "../test/golden/flows";
import type { Declaration } from "../test/golden/record";
import { accepted } from "../test/golden/stacks";

// `npx tsx docs/architecture.ts` draws the diagram of docs/architecture.md from what prod declares.

type Stack = Record<string, Declaration>;

interface Inputs {
  spec: {
    replicas?: number;
    template?: { metadata: { labels: { app: string } } };
    jobTemplate?: { spec: Required<Pick<Inputs["spec"], "template">> };
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
  const apps = new Set<string>();
  const nodes = declarations.flatMap(({ type, inputs }) => {
    const { spec } = inputs as Inputs;
    const app = (spec?.template ?? spec?.jobTemplate?.spec.template)?.metadata.labels.app;
    if (!app) return [];
    apps.add(app);
    const many = (spec.replicas ?? 1) > 1 ? ` ×${spec.replicas}` : "";
    return `${app}["${app}${many}<br/>${type.split(":").at(-1)}"]`;
  });
  const connections = flowsOf(stack)
    .filter(({ policy }) => policy === "egress")
    .map((flow) => (flow.to === "0.0.0.0/0" ? { ...flow, to: "internet" } : flow))
    .filter(({ to }) => apps.has(to) || to === "internet")
    .map(({ from, to, ports }) => `${from} -->|${ports.join(", ")}| ${to}`);
  return [...nodes, ...new Set(connections), ...cloudNodes(stack)].map((line) => `  ${line}`);
}

/** What a component makes outside the cluster: one node, its kinds counted. */
function cloudNodes(stack: Stack): string[] {
  const byComponent = groupBy(
    Object.values(stack).filter(({ type }) => /^(aws|cloudflare|docker):/.test(type)),
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
