import { expect, test } from "vitest";
import { importedInputs, liveInputs } from "../../../local/kubernetes-plugin/drift";

test("what the server merely writes otherwise is kept as written", () => {
  const inputs = { spec: { cpu: "1000m", value: "" } };
  const live = { spec: { cpu: "1", added: true } };
  expect(liveInputs(inputs, live, live)).toEqual(inputs);
});

test("what was changed, added to or removed shows", () => {
  const inputs = { spec: { replicas: 2, args: ["a"], paused: false, cpu: "1000m" } };
  const applied = { spec: { replicas: 2, args: ["a"], paused: false, cpu: "1" } };
  const live = { spec: { replicas: 3, args: ["a", "b"], cpu: "1" } };
  expect(liveInputs(inputs, applied, live)).toEqual({
    spec: { replicas: 3, args: ["a", "b"], cpu: "1000m" },
  });
});

test("arrays of the same length are compared by element", () => {
  const inputs = { env: [{ name: "A", value: "1" }, { name: "B" }] };
  const applied = {
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "x" },
    ],
  };
  const live = {
    env: [
      { name: "A", value: "2" },
      { name: "B", value: "x" },
    ],
  };
  expect(liveInputs(inputs, applied, live)).toEqual({
    env: [{ name: "A", value: "2" }, { name: "B" }],
  });
});

test("drift of stringData is read from data", () => {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const inputs = { kind: "Secret", stringData: { a: "1", b: "2", c: "3" } };
  const applied = { kind: "Secret", data: { a: encode("1"), b: encode("2"), c: encode("3") } };
  const live = { kind: "Secret", data: { a: encode("1"), b: encode("drift") } };
  expect(liveInputs(inputs, applied, live)).toEqual({
    kind: "Secret",
    stringData: { a: "1", b: "drift" },
  });
});

test("an import takes all but what the server keeps for itself", () => {
  const live = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "n",
      uid: "u",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "t",
      managedFields: [],
      annotations: { "deployment.kubernetes.io/revision": "1", mine: "yes" },
    },
    spec: { replicas: 1 },
    status: { replicas: 1 },
  };
  expect(importedInputs(live)).toEqual({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "n", annotations: { mine: "yes" } },
    spec: { replicas: 1 },
  });
});
