import * as kubernetes from "@pulumi/kubernetes";
import { secret } from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, provider, type Run } from "./harness";

const values = ["hush-in-data", "hush-in-string-data", "hush-in-config", "hush-made-by-kubectl"];
const base64 = (text: string) => Buffer.from(text).toString("base64");
const [inData, inStringData, inConfig, byKubectl] = values as [string, string, string, string];
const namespace = "secrets-test";
const imported = "imported";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start("secrets");
  engine.kubectl("create", "namespace", namespace);
  const literal = `--from-literal=key=${byKubectl}`;
  // kubectl keeps a copy of what it applied in an annotation.
  engine.kubectl(
    "create",
    "secret",
    "generic",
    imported,
    `-n${namespace}`,
    "--save-config",
    literal,
  );
});
afterAll(async () => {
  await engine.stop();
  engine.kubectl("delete", "namespace", namespace, "--ignore-not-found");
});

const program = (label: string) => async () => {
  const options = { provider: provider() };
  const metadata = { namespace, labels: { label } };
  new kubernetes.core.v1.Secret(
    "secret",
    { metadata, data: { key: base64(inData) }, stringData: { other: inStringData } },
    options,
  );
  const config = new kubernetes.core.v1.ConfigMap(
    "config",
    { metadata, data: { key: secret(inConfig), plain: "plain" } },
    options,
  );
  kubernetes.core.v1.Secret.get("read", `${namespace}/${imported}`, options);
  return { data: config.data };
};

function expectNothingSaid({ messages }: Run) {
  const state = engine.state();
  for (const value of values.flatMap((text) => [text, base64(text)])) {
    expect(messages.join("\n")).not.toContain(value);
    expect(state).not.toContain(value);
  }
}

test("secrets stay secret in the state and in messages", async () => {
  expectNothingSaid(await engine.run("up", program("made")));
  expectNothingSaid(await engine.run("up", program("changed")));
  expectNothingSaid(await engine.run("refresh"));
});

test("drift of a secret stays secret too", async () => {
  const name = engine.kubectl("get", "secrets", `-n${namespace}`, "-llabel", "-oname").trim();
  const patch = JSON.stringify({ stringData: { other: byKubectl } });
  engine.kubectl("patch", name, `-n${namespace}`, "-p", patch);
  const refresh = await engine.run("refresh");
  expect(refresh.steps).toContainEqual({ name: "secret", op: "update" });
  expectNothingSaid(refresh);
});
