import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import { accepted, stacks } from "../golden/stacks";
import { localCluster } from "./cluster";

// What the golden files say, put before the API server that was built here.

const namespace = "image-service-declared";

interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace?: string };
  spec?: {
    template?: { spec: object };
    jobTemplate?: Pick<KubernetesObject, "spec">;
  };
}

let kubectl: string;
let scratch: string;
const inCluster = (...args: string[]) => run(kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);

const clusterWide = ["Namespace", "ClusterRole", "ClusterRoleBinding"];

const ofOperators = /:(cert-manager\.io|keda\.sh|.*\.cnpg\.io|monitoring\.coreos\.com)\//;

/**
 * Every Kubernetes object of a golden stack, in the test's namespace, with a name; without those of
 * operators whose kinds this cluster doesn't have.
 */
function declared(stack: string): KubernetesObject[] {
  return Object.entries(accepted(stack))
    .filter(([, { type }]) => /^kubernetes:.*\/v[^:]*:/.test(type) && !ofOperators.test(type))
    .map(([name, { inputs }]) => {
      const object = JSON.parse(JSON.stringify(inputs), reveal) as KubernetesObject;
      const { metadata } = object;
      const ownName = metadata.name ?? name;
      // The local stack has some of the cluster's own kind by the same names.
      const place = clusterWide.includes(object.kind)
        ? { name: `${namespace}-${ownName}` }
        : { name: ownName, namespace };
      return { ...object, metadata: { ...metadata, ...place } };
    });
}

/** Golden files mark what is secret, and show text by its lines. */
function reveal(key: string, value: { secret?: unknown; lines?: string[] }): unknown {
  if (key === "stringData") return value.secret ?? value;
  return value?.lines ? value.lines.join("\n") : value;
}

/** A file that kubectl and kubeconform read. */
function write(name: string, items: object[]): string {
  const file = join(scratch, `${name}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  return file;
}

beforeAll(async () => {
  kubectl = (await localCluster()).toolchain.kubectl;
  scratch = mkdtempSync(join(tmpdir(), "image-service-declared-"));
  await inCluster("create", "namespace", namespace);
  const level = "pod-security.kubernetes.io/enforce=restricted";
  await inCluster("label", "namespace", namespace, level);
  // A class of the cluster, which the GPU operator makes: admission looks it up.
  const runtimeClass = { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", handler: "nvidia" };
  const named = { ...runtimeClass, metadata: { name: "nvidia" } };
  await inCluster("create", "--filename", write("runtime-class", [named]));
});

afterAll(async () => {
  await inCluster("delete", "namespace", namespace, "--wait=false");
  await inCluster("delete", "runtimeclass", "nvidia");
  rmSync(scratch, { recursive: true });
});

test.each(stacks)(
  "%s: the API server takes every object, and knows each of its fields",
  async (stack) => {
    // A node's port may be taken by the local stack.
    const objects = declared(stack).map((object) =>
      JSON.parse(JSON.stringify(object), (key, value) => (key === "nodePort" ? undefined : value)),
    );
    const taken = await inCluster(
      ...["apply", "--server-side", "--dry-run=server", "--validate=strict", "--output=name"],
      ...["--filename", write(`${stack}-objects`, objects)],
    );
    expect(taken.trim().split("\n")).toHaveLength(objects.length);
  },
);

test.each(stacks)(
  "%s: the restricted Pod Security admission takes every pod of its namespace",
  async (stack) => {
    const pods = declared(stack).flatMap(({ kind, metadata, spec }) => {
      const template = spec?.jobTemplate?.spec?.template ?? spec?.template;
      // The log collector has a namespace of its own.
      if (!template || kind === "DaemonSet") return [];
      const name = `${kind}-${metadata.name}`.toLowerCase();
      return [
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, namespace },
          // The accounts are only put before the server, never made.
          spec: { ...template.spec, serviceAccountName: undefined },
        },
      ];
    });
    const taken = await inCluster(
      ...["create", "--dry-run=server", "--output=name"],
      ...["--filename", write(`${stack}-pods`, pods)],
    );
    expect(taken.trim().split("\n")).toHaveLength(pods.length);
  },
);

test.each(stacks)(
  "%s: kubeconform takes every object by that API server's schemas",
  async (stack) => {
    const toolchain = await ensureToolchain(() => {}, ["kubeconform"]);
    await writeSchemas();
    const report = execFileSync(toolchain.kubeconform, [
      ...["-strict", "-output", "json", "-summary", "-schema-location"],
      join(scratch, "schema-{{ .ResourceKind }}{{ .KindSuffix }}.json"),
      write(`${stack}-conform`, declared(stack)),
    ]);
    expect(JSON.parse(report.toString()).summary).toEqual({
      valid: declared(stack).length,
      invalid: 0,
      errors: 0,
      skipped: 0,
    });
  },
);

interface Schema {
  properties?: object;
  format?: string;
  additionalProperties?: unknown;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

/** The API server's OpenAPI as one strict JSON schema a kind, in kubeconform's file names. */
async function writeSchemas(): Promise<void> {
  const { definitions } = JSON.parse(await inCluster("get", "--raw", "/openapi/v2")) as {
    definitions: Record<string, Schema>;
  };
  for (const schema of Object.values(definitions)) {
    if (schema.properties) schema.additionalProperties ??= false;
    if (schema.format === "int-or-string") {
      Object.assign(schema, { type: ["integer", "string"], format: undefined });
    }
  }
  const used = new Set(
    stacks.flatMap(declared).map(({ apiVersion, kind }) => `${apiVersion}/${kind}`),
  );
  for (const [name, schema] of Object.entries(definitions)) {
    for (const { group, version, kind } of schema["x-kubernetes-group-version-kind"] ?? []) {
      if (!used.has([group, version, kind].filter(Boolean).join("/"))) continue;
      const suffix = [group.split(".")[0], version].filter(Boolean).join("-");
      const file = join(scratch, `schema-${kind}-${suffix}.json`.toLowerCase());
      writeFileSync(file, JSON.stringify({ $ref: `#/definitions/${name}`, definitions }));
    }
  }
}
