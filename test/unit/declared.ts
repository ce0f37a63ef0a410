import * as pulumi from "@pulumi/pulumi";
import { outputsOf } from "../recorder/outputs";

/**
 * The arguments of each resource that `make` declares, by logical name, and what it returned.
 * @param outputs of every resource, in place of what a cloud would answer
 */
export async function declared<Made>(make: () => Made, outputs: Record<string, unknown> = {}) {
  const inputs: Record<string, Record<string, unknown>> = {};
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs: given }) => {
      inputs[name] = given;
      const id = `${name}-id`;
      return { id, state: { id, metadata: { name }, ...outputsOf(name), ...outputs, ...given } };
    },
    call: () => ({ token: "the token", account: { id: "account" } }),
  });
  const made = make();
  await pulumi.runtime.disconnect();
  return { made, inputs };
}

/** What an output resolves to, secret or not. */
export const resolved = <Value>(output: pulumi.Output<Value>): Promise<Value> =>
  (output as unknown as { promise(): Promise<Value> }).promise();

export const isSecret = (output: pulumi.Output<unknown>): Promise<boolean> =>
  (output as unknown as { isSecret: Promise<boolean> }).isSecret;
