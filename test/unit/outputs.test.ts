import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { assertVersion, type Outputs, readOutputs, version } from "../../outputs";

type Values = Record<keyof Outputs, unknown>;
const values: Values = {
  version,
  endpoint: "https://images.example",
  namespace: "image-service",
  internalService: "http://nginx",
  prometheus: "http://prometheus:9090",
  logs: "",
  objectStore: "http://object-store:7070",
  bucket: "aigc",
  database: "postgresql://",
  queue: "redis://",
};

/** A stack that another program refers to. */
async function stackWith(outputs: Partial<Values>): Promise<pulumi.StackReference> {
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ name, inputs }) => ({
      id: name,
      state: { ...inputs, outputs, secretOutputNames: ["database", "queue"] },
    }),
  });
  return new pulumi.StackReference("organization/image-service/prod");
}

const settled = (output: pulumi.Output<string>) =>
  (output as unknown as { promise(): Promise<string> }).promise();

test("another stack reads every output, and secrets stay secret", async () => {
  const read = readOutputs(await stackWith(values));
  expect(await settled(read.endpoint)).toBe("https://images.example");
  expect(Object.keys(read).sort()).toEqual(
    Object.keys(values)
      .filter((name) => name !== "version")
      .sort(),
  );
  expect(await pulumi.isSecret(read.database)).toBe(true);
  expect(await pulumi.isSecret(read.queue)).toBe(true);
  expect(await pulumi.isSecret(read.endpoint)).toBe(false);
});

test("a stack that speaks another version is refused", () => {
  expect(() => assertVersion(version)).not.toThrow();
  expect(() => assertVersion(2)).toThrow("the outputs of the stack have version 2, but 1 is read");
});
