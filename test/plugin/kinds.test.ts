import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, provider, type Run } from "./harness";
import { kinds, program, type Stage } from "./kinds";

const names = [...Object.keys(kinds), "picture"];
const all = ["kinds-test", ...names];

let engine: Engine;
const at = (stage: Stage) => program(stage, (name) => engine.image(name), provider);

beforeAll(async () => {
  engine = await Engine.start("kinds");
});
afterAll(() => engine.stop());

/** What was done to each resource, once a resource. */
function operations({ steps }: Run): Record<string, string> {
  return Object.fromEntries(steps.map(({ name, op }) => [name, op]));
}

const each = (op: string, except: Record<string, string> = {}) => ({
  ...Object.fromEntries(all.map((name) => [name, op])),
  ...except,
});

test("a preview makes nothing, and doesn't need the namespace or the definition", async () => {
  const preview = await engine.run("preview", at("made"));
  expect(operations(preview)).toEqual(each("create"));
  expect(engine.kubectl("get", "namespaces", "-o", "name")).not.toContain("kinds-test");
});

test("every kind is made", async () => {
  expect(operations(await engine.run("up", at("made")))).toEqual(each("create"));
});

test("without a change nothing changes", async () => {
  expect(operations(await engine.run("up", at("made")))).toEqual(each("same"));
});

test("a refresh finds no drift where there is none", async () => {
  expect(operations(await engine.run("refresh"))).toEqual(each("same"));
  expect(operations(await engine.run("up", at("made")))).toEqual(each("same"));
});

test("every kind is changed in place", async () => {
  const expected = each("update", { "kinds-test": "same" });
  expect(operations(await engine.run("preview", at("changed")))).toEqual(expected);
  expect(operations(await engine.run("up", at("changed")))).toEqual(expected);
});

test("a refresh finds what others changed, and the next update puts it back", async () => {
  const { ids, namespace } = (await engine.stack.outputs()) as never as {
    ids: { value: Record<string, string> };
    namespace: { value: string };
  };
  for (const name of names) {
    const object = (ids.value[name] as string).split("/").at(-1) as string;
    const type = kinds[name]?.resource.name ?? "Picture";
    engine.kubectl("label", "--overwrite", `-n${namespace.value}`, type, object, "stage=drifted");
  }
  const expected = each("update", { "kinds-test": "same" });
  expect(operations(await engine.run("refresh"))).toEqual(expected);
  expect(operations(await engine.run("up", at("changed")))).toEqual(expected);
  expect(operations(await engine.run("refresh"))).toEqual(each("same"));
});

test("kinds are replaced by the official provider's rules", async () => {
  const { steps } = await engine.run("up", at("replaced"));
  for (const [name, { last }] of Object.entries(kinds)) {
    const done = steps.filter((step) => step.name === name).map(({ op }) => op);
    const expected = {
      update: ["update"],
      replace: ["create-replacement", "replace", "delete-replaced"],
      "delete first": ["delete-replaced", "replace", "create-replacement"],
    }[last];
    expect([name, ...done]).toEqual([name, ...expected]);
  }
});

test("what someone deleted is made again", async () => {
  const { namespace } = (await engine.run("up", at("replaced"))).outputs;
  engine.kubectl("delete", `-n${namespace}`, "configmap", "chosen");
  expect(operations(await engine.run("refresh"))).toEqual(
    each("same", { "named-config": "delete" }),
  );
  expect(operations(await engine.run("up", at("replaced")))).toEqual(
    each("same", { "named-config": "create" }),
  );
});

test("destroy leaves nothing behind", async () => {
  expect(operations(await engine.run("destroy"))).toEqual(each("delete"));
  expect(engine.kubectl("get", "namespaces", "-o", "name")).not.toContain("kinds-test");
  expect(engine.kubectl("get", "clusterroles,storageclasses", "-o", "name")).not.toContain("stage");
});
