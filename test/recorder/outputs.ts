/** What a cloud would add to a resource's inputs, as far as the components read it. */
export const outputsOf = (name: string) => ({
  arn: `arn:${name}`,
  bucket: name,
  name,
  endpoint: `${name}.example:5432`,
  primaryEndpointAddress: `${name}.example`,
  region: "eu-central-1",
  repoDigest: `registry.example/service@sha256:${"1".repeat(64)}`,
  secret: `${name} secret`,
});
