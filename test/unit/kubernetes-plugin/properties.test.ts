import { expect, test } from "vitest";
import {
  decode,
  encode,
  hasUnknowns,
  markSecrets,
  reveal,
  secret,
  unknown,
} from "../../../local/kubernetes-plugin/properties";

test("properties survive the wire without nulls and undefined", () => {
  const properties = { a: 1, b: undefined, c: { d: null, e: [true, "x", {}] } };
  expect(decode(encode(properties))).toEqual({ a: 1, c: { e: [true, "x", {}] } });
  expect(decode(undefined)).toEqual({});
});

test("reveal unwraps secrets at any depth, also within each other", () => {
  expect(reveal({ a: secret({ b: secret("c") }), d: [secret(1)] })).toEqual({
    a: { b: "c" },
    d: [1],
  });
});

test("unknowns are found inside secrets and arrays", () => {
  expect(hasUnknowns({ a: [{ b: secret(unknown) }] })).toBe(true);
  expect(hasUnknowns({ a: [{ b: secret("known") }] })).toBe(false);
});

test("what was secret in the inputs is secret in the outputs", () => {
  const inputs = { spec: { token: secret("t"), plain: "p" } };
  const outputs = { spec: { token: "t", plain: "p" }, status: { phase: "Active" } };
  expect(markSecrets(outputs, inputs)).toEqual({
    spec: { token: secret("t"), plain: "p" },
    status: { phase: "Active" },
  });
});

test("an array with a secret in it is secret as a whole", () => {
  const inputs = { env: [{ name: "A", value: secret("a") }, { name: "B" }] };
  const outputs = { env: [{ name: "B" }, { name: "A", value: "a" }] };
  expect(markSecrets(outputs, inputs)).toEqual({ env: secret(outputs.env) });
});

test("the contents of a Secret are secret even when the program did not say so", () => {
  const object = {
    kind: "Secret",
    metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{…}" } },
    data: { key: "dmFsdWU=" },
    stringData: { key: "value" },
  };
  expect(markSecrets(object, { stringData: { key: secret("value") } })).toEqual({
    kind: "Secret",
    metadata: { annotations: secret(object.metadata.annotations) },
    data: secret({ key: "dmFsdWU=" }),
    stringData: secret({ key: "value" }),
  });
});
