import { expect, test } from "vitest";
import { randomSuffix, withName } from "../../../local/kubernetes-plugin/naming";

const request = { logicalName: "web", randomSeed: new Uint8Array() };
const autonamed = { "pulumi.com/autonamed": "true" };

test("a name that the program chose is kept", () => {
  const inputs = { metadata: { name: "mine" } };
  expect(withName(inputs, {}, request)).toBe(inputs);
});

test("an object without a name gets one, marked as made", () => {
  const { metadata } = withName({ metadata: { annotations: { a: "b" } } }, {}, request) as {
    metadata: { name: string; annotations: object };
  };
  expect(metadata.name).toMatch(/^web-[0-9a-f]{8}$/);
  expect(metadata.annotations).toEqual({ a: "b", ...autonamed });
});

test("a made name is adopted, a chosen one is not", () => {
  const old = { metadata: { name: "web-01234567", annotations: autonamed } };
  expect(withName({}, old, request)).toEqual(old);
  const chosen = { metadata: { name: "mine" } };
  expect(withName({}, chosen, request)).not.toHaveProperty("metadata.name", "mine");
});

test("the same seed gives the same name", () => {
  const seed = new TextEncoder().encode("seed");
  expect(randomSuffix(seed)).toBe(randomSuffix(seed));
  expect(randomSuffix()).not.toBe(randomSuffix());
});

test("the project's autonaming decides", () => {
  const proposed = withName(
    {},
    {},
    { ...request, autonaming: { mode: "proposed", name: "given" } },
  );
  expect(proposed).toEqual({ metadata: { name: "given", annotations: autonamed } });
  expect(() => withName({}, {}, { ...request, autonaming: { mode: "disabled" } })).toThrow(
    "set metadata.name",
  );
});
