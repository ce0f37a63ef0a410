import * as pulumi from "@pulumi/pulumi";
import { outputsOf } from "../recorder/outputs";

/** The arguments of each resource that `make` declares, by logical name, and what it returned. */
export async function declared<Made>(make: () => Made) {
  const inputs: Record<string, Record<string, unknown>> = {};
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs: given }) => {
      inputs[name] = given;
      const id = `${name}-id`;
      return { id, state: { id, metadata: { name }, ...outputsOf(name), ...given } };
    },
    call: () => ({ token: "the token" }),
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
