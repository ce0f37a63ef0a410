import { expect, test } from "vitest";
import { checkConfig, diffConfig, parseConfig } from "../../../local/kubernetes-plugin/config";
import { unknown } from "../../../local/kubernetes-plugin/properties";

const kubeconfig = (server: string, token = "t") =>
  JSON.stringify({
    "current-context": "main",
    contexts: [{ name: "main", context: { cluster: "c", user: "u", namespace: "team" } }],
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token } }],
  });
const here = kubeconfig("https://here");
const there = kubeconfig("https://there");

test("defaults come from the kubeconfig", () => {
  const config = parseConfig({ kubeconfig: here, enableSecretMutable: "true" });
  expect(config.kubeconfig.getCurrentCluster()?.server).toBe("https://here");
  expect(config).toMatchObject({
    namespace: "team",
    enableSecretMutable: true,
    enableConfigMapMutable: false,
  });
  expect(parseConfig({ kubeconfig: here, namespace: "own" }).namespace).toBe("own");
});

test("bad options are named with what to do", () => {
  expect(checkConfig({ kubeconfig: here })).toEqual([]);
  expect(checkConfig({ kubeconfig: unknown })).toEqual([]);
  expect(checkConfig({ kubeconfig: here, context: "other" })).toEqual([
    { property: "kubeconfig", reason: expect.stringContaining('no context "other"') },
  ]);
  expect(checkConfig({ kubeconfig: "/nowhere" })[0]?.property).toBe("kubeconfig");
  expect(checkConfig({ kubeconfig: here, renderYamlToDirectory: "out" })).toEqual([
    { property: "renderYamlToDirectory", reason: expect.stringContaining("official") },
  ]);
});

test("another cluster replaces everything, other credentials nothing", () => {
  expect(diffConfig({ kubeconfig: here }, { kubeconfig: there }).replaces).toEqual(["kubeconfig"]);
  const other = { kubeconfig: kubeconfig("https://here", "new") };
  expect(diffConfig({ kubeconfig: here }, other)).toEqual({ diffs: ["kubeconfig"], replaces: [] });
  expect(diffConfig({ kubeconfig: here }, { kubeconfig: unknown }).replaces).toEqual([
    "kubeconfig",
  ]);
});

test("a clusterIdentifier alone decides what is another cluster", () => {
  const before = { kubeconfig: here, clusterIdentifier: "a" };
  expect(diffConfig(before, { ...before, kubeconfig: there }).replaces).toEqual([]);
  expect(diffConfig(before, { ...before, clusterIdentifier: "b" }).replaces).toEqual([
    "clusterIdentifier",
  ]);
  expect(diffConfig({ kubeconfig: here }, before).replaces).toEqual([]);
});
