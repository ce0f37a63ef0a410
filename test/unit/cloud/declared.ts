import * as pulumi from "@pulumi/pulumi";

/** The arguments of each resource that `make` declares, by logical name, and what it returned. */
export async function declared<Made>(make: () => Made) {
  const inputs: Record<string, Record<string, unknown>> = {};
  await pulumi.runtime.setMocks({
    // What AWS and Cloudflare would add, as far as a component reads it.
    newResource: ({ name, inputs: given }) => {
      inputs[name] = given;
      const added = {
        arn: `arn:${name}`,
        bucket: name,
        endpoint: `${name}.example:5432`,
        id: `${name}-id`,
        primaryEndpointAddress: `${name}.example`,
        region: "eu-central-1",
        repoDigest: `registry.example/service@sha256:${"1".repeat(64)}`,
        secret: `${name} secret`,
      };
      return { id: `${name}-id`, state: { metadata: { name }, name, ...added, ...given } };
    },
    call: () => ({ token: "the token" }),
  });
  const made = make();
  await pulumi.runtime.disconnect();
  return { made, inputs };
}

/** What an output resolves to, secret or not. */
export const valueOf = <Value>(output: pulumi.Output<Value>): Promise<Value> =>
  (output as unknown as { promise(): Promise<Value> }).promise();

export const isSecret = (output: pulumi.Output<unknown>): Promise<boolean> =>
  (output as unknown as { isSecret: Promise<boolean> }).isSecret;
