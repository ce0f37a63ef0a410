import { expect, test } from "vitest";
import { secret } from "../../../local/kubernetes-plugin/properties";
import { fromOutputs, plainInputs, toOutputs } from "../../../local/kubernetes-plugin/state";

const live = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", namespace: "n" },
  data: { key: "dmFsdWU=" },
};
const inputs = { apiVersion: "v1", kind: "Secret", stringData: { key: "value" } };

test("state is read back as it was written, with the contents of Secrets secret", () => {
  const state = { live, inputs, fieldManager: "ours" };
  const outputs = toOutputs(state, inputs);
  expect(fromOutputs(outputs)).toEqual(state);
  expect(outputs).toMatchObject({
    data: secret(live.data),
    __inputs: { stringData: secret(inputs.stringData) },
  });
});

test("OpenAPI extensions have underscores in the SDK and dashes in the API", () => {
  const sdk = { schema: { x_kubernetes_preserve_unknown_fields: true } };
  expect(plainInputs(sdk)).toEqual({ schema: { "x-kubernetes-preserve-unknown-fields": true } });
});
