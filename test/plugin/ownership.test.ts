import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, provider } from "./harness";

const namespace = "ownership-test";
const mine = "made-by-another";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start("ownership");
  engine.kubectl("create", "namespace", namespace);
  engine.kubectl("create", "configmap", mine, `-n${namespace}`, "--from-literal=key=value");
});
afterAll(async () => {
  await engine.stop();
  engine.kubectl("delete", "namespace", namespace, "--ignore-not-found");
});

/** A program of one ConfigMap. */
const configMap =
  (metadata: object, options: CustomResourceOptions = {}, cluster = {}) =>
  async () => {
    new kubernetes.core.v1.ConfigMap(
      "config",
      { metadata: { name: mine, namespace, ...metadata }, data: { key: "value" } },
      { provider: provider(cluster), ...options },
    );
  };
const tier = (name: string, annotations = {}) => configMap({ labels: { tier: name }, annotations });
const labels = () =>
  engine.kubectl("get", "configmap", mine, `-n${namespace}`, "-o", "jsonpath={.metadata.labels}");

test("what others made is not overwritten, and the message says what can be done", async () => {
  const { error } = await engine.attempt("up", configMap({}));
  expect(error).toMatch(
    /ConfigMap ownership-test\/made-by-another already exists in the cluster. Import it/,
  );
});

test("it can be imported, and is the program's from then on", async () => {
  const id = `${namespace}/${mine}`;
  const imported = await engine.run("up", configMap({}, { import: id }));
  expect(imported.steps).toEqual([{ name: "config", op: "import" }]);
  expect((await engine.run("up", configMap({}))).steps).toEqual([{ name: "config", op: "same" }]);
  expect((await engine.run("refresh")).steps).toEqual([{ name: "config", op: "same" }]);
  await engine.run("up", tier("a"));
  expect(labels()).toBe('{"tier":"a"}');
});

test("a field that someone else took is taken back only with patchForce", async () => {
  const patch = JSON.stringify({ metadata: { labels: { tier: "b" } } });
  const someone = ["--field-manager=someone", "--type=merge", "-p", patch];
  engine.kubectl("patch", "configmap", mine, `-n${namespace}`, ...someone);
  const { error } = await engine.attempt("up", tier("c"));
  expect(error).toMatch(
    /metadata\.labels\.tier: conflict with "someone".* pulumi\.com\/patchForce/,
  );
  expect(labels()).toBe('{"tier":"b"}');
  await engine.run("up", tier("c", { "pulumi.com/patchForce": "true" }));
  expect(labels()).toBe('{"tier":"c"}');
});

test("with upsertExistingObjects what others made is adopted", async () => {
  await engine.run("destroy");
  engine.kubectl("create", "configmap", mine, `-n${namespace}`, "--from-literal=key=value");
  const adopted = await engine.run("up", configMap({}, {}, { upsertExistingObjects: true }));
  expect(adopted.steps).toEqual([{ name: "config", op: "create" }]);
});
