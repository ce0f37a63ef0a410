import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config";
import * as configSchema from "../../configSchema";

const image = `registry.example/image@sha256:${"0".repeat(64)}`;
const images = Object.fromEntries(Object.keys(configSchema.images).map((name) => [name, image]));
const secrets: Record<string, string> = Object.fromEntries(
  Object.keys(configSchema.secrets).map((name) => [name, `the ${name}`]),
);
const whole: Record<string, unknown> = { endpoint: "https://images.example", images, ...secrets };

function configure(values: Record<string, unknown>, secretKeys = Object.keys(secrets)): void {
  const text = Object.entries(values).map(([key, value]) => [
    `image-service:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(text),
    secretKeys.map((key) => `image-service:${key}`),
  );
}

beforeEach(() => {
  pulumi.runtime.setMocks(
    { call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs }) },
    "image-service",
    "test",
  );
});

test("what a stack leaves out has the documented default", () => {
  configure(whole);
  expect(loadConfig()).toMatchObject({
    namespace: "image-service",
    workers: { replicas: 4 },
    api: { maxWaitSeconds: 300, rateLimit: "10/minute" },
    protect: true,
  });
});

test("a wrong configuration names every fault at once, with key, value and fix", () => {
  const { apiSecret: _, alertWebhook: __, ...incomplete } = whole;
  const wrong = {
    ...incomplete,
    endpoint: "",
    images: { ...images, nginx: "nginx:latest" },
    workers: { replicas: "four", gpus: 2 },
    nginx: { replicas: 2, minAvailable: 2 },
    colour: "blue",
  };
  configure(wrong, ["databasePassword", "s3AccessKeyId", "s3SecretAccessKey"]);
  expect(loadConfig).toThrow(
    [
      "the configuration of stack test has 9 faults:",
      "endpoint is missing; fix: pulumi config set endpoint VALUE",
      'images.nginx is "nginx:latest", but must name an image by digest: repository@sha256:…; fix: pulumi config set --path images.nginx VALUE',
      'workers.replicas is "four", but Invalid input: expected number, received string; fix: pulumi config set --path workers.replicas VALUE',
      "workers.gpus is 2, but there is no such key; fix: pulumi config rm --path workers.gpus",
      'colour is "blue", but there is no such key; fix: pulumi config rm colour',
      "nginx.minAvailable is 2, but must be below nginx.replicas, 2, or no node can be drained; fix: pulumi config set --path nginx.minAvailable 1",
      "apiSecret is missing; fix: pulumi config set --secret apiSecret",
      "redisPassword is in plain text, but must be a secret; fix: pulumi config set --secret redisPassword",
      "alertWebhook is missing, but monitoring.alertmanager is true; fix: pulumi config set --secret alertWebhook",
    ].join("\n  - "),
  );
});

test("secrets stay secret", async () => {
  configure(whole);
  for (const secret of Object.values(loadConfig().secrets)) {
    expect(await pulumi.isSecret(secret)).toBe(true);
  }
});

test("what only some stacks need may be left out of the others", () => {
  const { alertWebhook: _, ...rest } = whole;
  const { alertmanager: __, ...needed } = images;
  configure({ ...rest, images: needed, monitoring: { alertmanager: false } });
  expect(loadConfig().images.alertmanager).toBe("");
  configure({ ...rest, images: needed });
  expect(loadConfig).toThrow(
    [
      "has 2 faults:",
      "images.alertmanager is missing, but monitoring.alertmanager is true; fix: pulumi config set --path images.alertmanager VALUE",
      "alertWebhook is missing, but monitoring.alertmanager is true; fix: pulumi config set --secret alertWebhook",
    ].join("\n  - "),
  );
});
