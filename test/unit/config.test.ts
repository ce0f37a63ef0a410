import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config";

const image = `registry.example/image@sha256:${"0".repeat(64)}`;
const images = Object.fromEntries(
  ["api", "worker", "nginx", "redis", "postgres", "prometheus", "objectStore"].map((name) => [
    name,
    image,
  ]),
);
const secrets = {
  apiSecret: "a",
  databasePassword: "b",
  redisPassword: "c",
  s3AccessKeyId: "d",
  s3SecretAccessKey: "e",
};
const whole = { endpoint: "https://images.example", images, ...secrets };

function configure(values: Record<string, unknown>): void {
  const text = Object.entries(values).map(([key, value]) => [
    `image-service:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(text));
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
  configure({
    ...incomplete,
    images: { ...images, nginx: "nginx:latest" },
    workers: { replicas: "four", gpus: 2 },
    colour: "blue",
  });
  expect(() => loadConfig()).toThrow(
    new RegExp(
      [
        "stack test has 5 fault\\(s\\):",
        'images.nginx: "nginx:latest"; an image by digest: repository@sha256:…',
        'workers.replicas: "four"; .*expected number.*',
        "workers.gpus: no such key; remove it",
        "colour: no such key; remove it: pulumi config rm colour",
        "apiSecret: missing; set it: pulumi config set --secret apiSecret",
      ].join("\n  - "),
    ),
  );
});

test("secrets stay secret", async () => {
  configure(whole);
  for (const secret of Object.values(loadConfig().secrets)) {
    expect(await pulumi.isSecret(secret)).toBe(true);
  }
});
