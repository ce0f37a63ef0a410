import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../../local/paths";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { Definition } from "./definition";
import { sourceOf } from "./goModule";

// What is declared of CloudNativePG, before its own definitions and the code that reads them.

/** That of `npm run test:failover`. */
const [, version = ""] =
  /cloudnative-pg\/cloudnative-pg (v\S+)/.exec(
    readFileSync(join(repository, "local/toolchain/cloudnative-pg/go.mod"), "utf8"),
  ) ?? [];
const scratch = mkdtempSync(join(tmpdir(), "image-service-cnpg-"));
let source: string;

const declared = (name: string) => plain(accepted("elastic")[name]?.inputs) as Props;
const read = (file: string) => readFileSync(join(source, file), "utf8");
const definitionOf = (kind: string) =>
  join(source, `config/crd/bases/postgresql.cnpg.io_${kind}.yaml`);

beforeAll(async () => {
  source = await sourceOf("github.com/cloudnative-pg/cloudnative-pg", version, scratch);
});
afterAll(() => rmSync(scratch, { recursive: true }));

test.each([
  ["postgres-cluster", "clusters", "bootstrap"],
  ["postgres-base-backups", "scheduledbackups", "cluster"],
])("its definition takes %s, and not with another field", async (name, kind, group) => {
  const definition = await Definition.read(definitionOf(kind), "v1", scratch);
  const object = declared(name);
  expect(await definition.refuses(object)).toBe("");
  const wrong = structuredClone(object);
  wrong.spec[group].colour = "blue";
  expect(await definition.refuses(wrong)).toContain("colour");
});

test("nothing is declared that a later version takes away", () => {
  const { spec } = declared("postgres-cluster");
  const page = read("docs/src/wal_archiving.md");
  expect(page.replaceAll(/\s+/g, " ")).toContain(
    "`.spec.backup.barmanObjectStore` field. While still functional, **this interface is deprecated**",
  );
  expect(spec).not.toHaveProperty("backup");
  expect(read("docs/src/monitoring.md")).toContain("`.spec.monitoring.enablePodMonitor`");
  expect(spec).not.toHaveProperty("monitoring");
  expect(declared("postgres-base-backups").spec.method).toBe("plugin");
});

/**
 * The plugin's own definition can't be had here; its configuration has the words of the operator's
 * (https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/).
 */
test("its bucket is described as the operator's own description of buckets has it", async () => {
  const { versions } = parse(readFileSync(definitionOf("clusters"), "utf8")).spec;
  const { schema } = (versions as Props[]).find(({ name }) => name === "v1") as Props;
  const { backup } = schema.openAPIV3Schema.properties.spec.properties;
  expect(
    refused(declared("postgres-archive").spec.configuration, backup.properties.barmanObjectStore),
  ).toEqual([]);
  expect(refused({ wal: { compression: "zip" } }, backup.properties.barmanObjectStore)).toEqual([
    "wal.compression",
  ]);
});

/** Paths of what a schema doesn't name, or not with this value. */
function refused(value: unknown, schema: Props | undefined, path: string[] = []): string[] {
  if (!schema || (schema.enum && !schema.enum.includes(value))) return [path.join(".")];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    refused(inner, schema.properties?.[key], [...path, key]),
  );
}

test("its pods are those that Services and NetworkPolicies select, and have their ports", () => {
  const { spec } = declared("postgres-cluster");
  // Pods and Jobs of a cluster alike.
  expect(read("api/v1/cluster_funcs.go")).toContain("cluster.Spec.InheritedMetadata.Labels");
  expect(read("internal/controller/cluster_create.go")).toContain(
    "utils.InheritLabels(&job.Spec.Template.ObjectMeta, cluster.Labels,",
  );
  const label = spec.inheritedMetadata.labels;
  expect(declared("policies-postgres").spec.podSelector.matchLabels).toEqual(label);
  expect(declared("postgres-metrics").spec.selector).toEqual(label);
  const ports = Object.fromEntries(
    [...read("pkg/management/url/url.go").matchAll(/(\w+Port) int32 = (\d+)/g)].map(
      ([, name, port]) => [name, Number(port)],
    ),
  );
  expect(declared("postgres-metrics").spec.ports[0].port).toBe(ports.PostgresMetricsPort);
  const ofOperator = (declared("policies-postgres").spec.ingress as Props[]).find(({ from }) =>
    from.some(({ namespaceSelector }: Props) => namespaceSelector),
  );
  expect(ofOperator).toEqual({
    from: [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "cnpg-system" } } },
    ],
    ports: [5432, ports.StatusPort].map((port) => ({ port, protocol: "TCP" })),
  });
});

test("its image has a tag, without which the operator's webhook takes no image", () => {
  expect(read("internal/webhook/v1/cluster_webhook.go")).toContain(
    "Can't use just the image sha as we can't detect upgrades",
  );
  expect(declared("postgres-cluster").spec.imageName).toMatch(/:18[^@]*@sha256:/);
});

test("all that talks to PostgreSQL talks to the Service of the pod that is written to", () => {
  expect(read("api/v1/cluster_types.go")).toContain('ServiceReadWriteSuffix = "-rw"');
  const urls = JSON.stringify(
    Object.values(accepted("elastic")).map(({ inputs }) => plain(inputs)),
  ).match(/postgresql:\/\/[^"\\]+/g);
  expect(new Set(urls)).toEqual(
    new Set([
      "postgresql://aigc:thedatabasePassword@postgres-rw.image-service.svc.cluster.local:5432/aigc",
    ]),
  );
});
