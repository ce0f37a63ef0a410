import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import type { Props, Resource } from "../../policy/resource";
import { rules } from "../../policy/rules";

const project = "image-client";
const declared: Resource[] = [];
const service = {
  version: 1,
  ...Object.fromEntries(
    [
      "endpoint",
      "namespace",
      "prometheus",
      "logs",
      "objectStore",
      "bucket",
      "database",
      "queue",
    ].map((name) => [name, `the ${name}`]),
  ),
  internalService: "http://nginx.image-service.svc.cluster.local",
};

beforeAll(async () => {
  pulumi.runtime.setAllConfig(
    {
      [`${project}:service`]: "organization/image-service/prod",
      [`${project}:image`]: `registry.example/api@sha256:${"0".repeat(64)}`,
      [`${project}:apiSecret`]: "a key",
    },
    [`${project}:apiSecret`],
  );
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        declared.push({ type, name, stack: "prod", props: inputs, protect: false });
        const outputs = type === "pulumi:pulumi:StackReference" ? { outputs: service } : {};
        return { id: name, state: { metadata: { name }, ...inputs, ...outputs } };
      },
      call: ({ inputs }) => inputs,
    },
    project,
  );
  await import("../../examples/consumer/index.js");
  await pulumi.runtime.disconnect();
});

const container = (): Props =>
  declared.find(({ name }) => name === "client")?.props.spec.template.spec.containers[0];

test("the consumer asks the service at the address that its stack tells", () => {
  expect(container().env).toEqual([{ name: "SERVICE_URL", value: service.internalService }]);
});

test("the consumer keeps to every rule of the policy pack", () => {
  expect(declared.map(({ name }) => name)).toContain("client");
  expect(
    declared.flatMap((resource) => rules.flatMap((rule) => rule.violations(resource))),
  ).toEqual([]);
});
