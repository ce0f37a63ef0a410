import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config";

const image = `registry.example/image@sha256:${"0".repeat(64)}`;
const images = Object.fromEntries(
  ["api", "worker", "nginx", "redis", "postgres", "prometheus", "objectStore", "backup"].map(
    (name) => [name, image],
  ),
);
const secrets = {
  apiSecret: "a",
  databasePassword: "b",
  redisPassword: "c",
  s3AccessKeyId: "d",
  s3SecretAccessKey: "e",
};
const whole = { endpoint: "https://images.example", images, ...secrets };

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
  const { apiSecret: _, ...incomplete } = whole;
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
      "the configuration of stack test has 8 faults:",
      "endpoint is missing; fix: pulumi config set endpoint VALUE",
      'images.nginx is "nginx:latest", but must name an image by digest: repository@sha256:…; fix: pulumi config set --path images.nginx VALUE',
      'workers.replicas is "four", but Invalid input: expected number, received string; fix: pulumi config set --path workers.replicas VALUE',
      "workers.gpus is 2, but there is no such key; fix: pulumi config rm --path workers.gpus",
      'colour is "blue", but there is no such key; fix: pulumi config rm colour',
      "nginx.minAvailable is 2, but must be below nginx.replicas, 2, or no node can be drained; fix: pulumi config set --path nginx.minAvailable 1",
      "apiSecret is missing; fix: pulumi config set --secret apiSecret",
      "redisPassword is in plain text, but must be a secret; fix: pulumi config set --secret redisPassword",
    ].join("\n  - "),
  );
});

test("secrets stay secret", async () => {
  configure(whole);
  for (const secret of Object.values(loadConfig().secrets)) {
    expect(await pulumi.isSecret(secret)).toBe(true);
  }
});
