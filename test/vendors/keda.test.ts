import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { attempt, run } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";

// The ScaledObjects that are declared, before KEDA's own schema and the code of its scalers.

const version = "v2.21.0";
const scratch = mkdtempSync(join(tmpdir(), "image-service-keda-"));
/** The source of KEDA, as Go's checksum database knows it. */
let source: string;
let kubeconform: string;

const scaledObjects = Object.values(accepted("elastic"))
  .filter(({ type }) => type.endsWith(":ScaledObject"))
  .map(({ inputs }) => plain(inputs) as Props);

beforeAll(async () => {
  const module = `github.com/kedacore/keda/v2@${version}`;
  source = JSON.parse(await run("go", ["mod", "download", "-json", module], { cwd: scratch })).Dir;
  ({ kubeconform } = await ensureToolchain(() => {}, ["kubeconform"]));
  const crd = join(source, "config/crd/bases/keda.sh_scaledobjects.yaml");
  const [{ schema }] = parse(readFileSync(crd, "utf8")).spec.versions;
  writeFileSync(join(scratch, "schema.json"), JSON.stringify(strict(schema.openAPIV3Schema)));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** As the API server takes it: what a schema doesn't name is an error of `kubectl apply`. */
function strict(schema: Props): Props {
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Array.isArray(schema)
    ? schema.map(strict)
    : Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed = inner as Props;
  const isObject = closed.properties && !closed.properties.properties;
  return isObject && !closed["x-kubernetes-preserve-unknown-fields"]
    ? { additionalProperties: false, ...closed }
    : closed;
}

async function conforms(scaledObject: Props) {
  const file = join(scratch, "scaledObject.json");
  writeFileSync(file, JSON.stringify(scaledObject));
  return attempt(kubeconform, [
    ...["-strict", "-schema-location", join(scratch, "schema.json")],
    file,
  ]);
}

test("KEDA's definition takes the ScaledObjects, and none with another field", async () => {
  expect(scaledObjects.length).toBeGreaterThan(0);
  for (const scaledObject of scaledObjects) {
    const { status, stdout } = await conforms(scaledObject);
    expect(status, stdout).toBe(0);
    const wrong = structuredClone(scaledObject);
    wrong.spec.fallback.behaviour = wrong.spec.fallback.behavior;
    expect((await conforms(wrong)).status).not.toBe(0);
  }
});

/** What a scaler reads of a trigger's metadata: name → whether it has to be given. */
function parametersOf(trigger: string): Map<string, boolean> {
  const file = `pkg/scalers/${trigger.replaceAll("-", "_")}_scaler.go`;
  const text = readFileSync(join(source, file), "utf8");
  const tags = text.matchAll(/keda:"name=(\w+),([^"]*)"/g);
  return new Map(
    [...tags].map(([, name = "", rest = ""]) => [name, !/optional|default=/.test(rest)]),
  );
}

test("KEDA's scalers know what their triggers say, and are told what they have to be", () => {
  const triggers = scaledObjects.flatMap(({ spec }) => spec.triggers as Props[]);
  expect(new Set(triggers.map(({ type }) => type))).toEqual(new Set(["metrics-api", "cron"]));
  for (const { type, metadata } of triggers) {
    const known = parametersOf(type);
    const needed = [...known].filter(([, isNeeded]) => isNeeded).map(([name]) => name);
    expect([...known.keys()]).toEqual(expect.arrayContaining(Object.keys(metadata)));
    expect(Object.keys(metadata)).toEqual(expect.arrayContaining(needed));
    for (const value of Object.values(metadata)) expect(typeof value).toBe("string");
  }
});

test("KEDA's workers stay while nobody tells how much work there is", () => {
  const code = readFileSync(join(source, "pkg/scaling/executor/scale_scaledobjects.go"), "utf8");
  // The one condition under which an error keeps KEDA from scaling to zero.
  expect(code).toContain(
    "case isError && scaledObject.Spec.Fallback != nil && scaledObject.Spec.Fallback.Replicas != 0:",
  );
  for (const { spec } of scaledObjects) expect(spec.fallback.replicas).toBeGreaterThan(0);
});
