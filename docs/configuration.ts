import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { schema } from "../config/schema";
import { secrets } from "../config/secrets";

/** What of a JSON schema the renderers below look at. */
interface Property {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  items?: { type: string };
  properties?: Record<string, Property>;
}

const properties = z.toJSONSchema(schema, { io: "input" }).properties as Record<string, Property>;
const root = join(__dirname, "..");

/** Files with a part that the schema decides, and that part. */
export const rendered = {
  "Pulumi.yaml": renderProject,
  "docs/configuration.md": renderTable,
};

export const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Pulumi.yaml with every top-level key's type, default and description; the rest as it stands. */
function renderProject(current: string): string {
  const project = parseDocument(current);
  project.set(
    "config",
    project.createNode({
      ...Object.fromEntries(
        Object.entries(properties).map(([key, property]) => [
          key,
          {
            type: property.type,
            ...(property.items && { items: { type: property.items.type } }),
            description: property.description,
            // The engine stops at the first key without a value; config/ names them all.
            default: property.properties ? defaults(property) : (property.default ?? ""),
          },
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(secrets).map(([key, description]) => [
          key,
          { type: "string", description: `${description} (--secret)`, default: "" },
        ]),
      ),
    }),
  );
  return project.toString({ lineWidth: 100 });
}

/** Else it may be left out as a whole. */
const isGroup = ({ properties, default: value }: Property) => properties && value !== undefined;

/** A group's keys with their defaults, without the keys that have none. */
function defaults(group: Property): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group.properties ?? {})
      .map(([key, property]) => [key, isGroup(property) ? defaults(property) : property.default])
      .filter(([, value]) => value !== undefined),
  );
}

const marker = "<!-- Below: rendered from config/schema.ts by `npm run config-docs`. -->\n";

/** The documentation's prose as it stands, then a table of every key. */
function renderTable(current: string): string {
  const rows = [
    ...Object.entries(properties).flatMap(([key, property]) => tableRows(key, property)),
    ...Object.entries(secrets).map(([key, description]) => [
      `\`${key}\``,
      "secret",
      "required",
      description,
    ]),
  ];
  const table = [["key", "type", "default", "meaning"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
  return `${current.split(marker)[0]}${marker}\n${table}\n`;
}

function tableRows(key: string, property: Property): string[][] {
  if (isGroup(property)) {
    return Object.entries(property.properties ?? {}).flatMap(([inner, child]) =>
      tableRows(`${key}.${inner}`, child),
    );
  }
  const type = property.enum?.join(", ") ?? property.type ?? "";
  const value = property.default === undefined ? without(property) : code(property.default);
  return [[`\`${key}\``, type, value, property.description ?? ""]];
}

const without = ({ properties }: Property) => (properties ? "none" : "required");
const code = (value: unknown) => (value === "" ? "" : `\`${JSON.stringify(value)}\``);

if (require.main === module) {
  for (const [file, render] of Object.entries(rendered)) {
    writeFileSync(join(root, file), render(read(file)));
  }
}
