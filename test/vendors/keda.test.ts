import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../local/paths";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { Definition } from "./definition";
import { sourceOf } from "./goModule";

// The ScaledObjects that are declared, before KEDA's own schema and the code of its scalers.

/** That of `npm run local -- --autoscale`. */
const [, version = ""] =
  /kedacore\/keda\/v2 (v\S+)/.exec(
    readFileSync(join(repository, "local/toolchain/keda/go.mod"), "utf8"),
  ) ?? [];
const scratch = mkdtempSync(join(tmpdir(), "image-service-keda-"));
/** The source of KEDA, as Go's checksum database knows it. */
let source: string;
let definition: Definition;

const scaledObjects = Object.values(accepted("elastic"))
  .filter(({ type }) => type.endsWith(":ScaledObject"))
  .map(({ inputs }) => plain(inputs) as Props);

beforeAll(async () => {
  source = await sourceOf("github.com/kedacore/keda/v2", version, scratch);
  const file = join(source, "config/crd/bases/keda.sh_scaledobjects.yaml");
  definition = await Definition.read(file, "v1alpha1", scratch);
});
afterAll(() => rmSync(scratch, { recursive: true }));

test("KEDA's definition takes the ScaledObjects, and none with another field", async () => {
  expect(scaledObjects.length).toBeGreaterThan(0);
  for (const scaledObject of scaledObjects) {
    expect(await definition.refuses(scaledObject)).toBe("");
    const wrong = structuredClone(scaledObject);
    wrong.spec.fallback.behaviour = wrong.spec.fallback.behavior;
    expect(await definition.refuses(wrong)).toContain("behaviour");
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
