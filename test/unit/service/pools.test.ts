import { expect, test } from "vitest";
import { containersOf, type Props, podOf } from "../../../policy/resource";
import { resourcesOf } from "../../golden/resources";
import { accepted, declareEach } from "../../golden/stacks";

const [prod, elastic] = [accepted("prod"), accepted("elastic")];
const pods = Object.fromEntries(
  resourcesOf("elastic").flatMap((resource) => {
    const pod = podOf(resource);
    return pod ? [[resource.name, pod]] : [];
  }),
);
const declared = (name: string) => (elastic[name] as { inputs: unknown }).inputs as Props;
const environment = (name: string) => {
  const [container] = containersOf(pods[name]?.spec as Props);
  const env = (container as Props).env as Props[];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
};

test("pulumi up never fights the scaler: a scaled Deployment's replicas are left alone", () => {
  const scaled = Object.entries(elastic).filter(
    ([name, { type }]) => type.endsWith(":Deployment") && name.startsWith("aigc-workers"),
  );
  const ignored = scaled.map(([name, { ignoreChanges }]) => [name, ignoreChanges]);
  expect(Object.fromEntries(ignored)).toEqual({
    "aigc-workers-server": ["spec.replicas"],
    "aigc-workers-juggernaut-server": ["spec.replicas"],
    "aigc-workers-base-server": undefined,
    "aigc-workers-canary-server": undefined,
  });
  expect(prod["aigc-workers-server"]).not.toHaveProperty("ignoreChanges");
});

test("the plain workers keep their names and keys beside pools", () => {
  const workersOf = (stack: typeof prod) =>
    Object.keys(stack).filter((name) => /^aigc-workers-(server|service|budget)$/.test(name));
  expect(workersOf(elastic)).toEqual(workersOf(prod));
  expect(pods["aigc-workers-server"]?.labels.app).toBe("aigc-worker");
});

test("a pool with a model of its own draws what names it; one with the same model shares the tasks", () => {
  expect(environment("aigc-workers-server")).not.toHaveProperty("NAMED_ONLY");
  expect(environment("aigc-workers-base-server")).not.toHaveProperty("NAMED_ONLY");
  const own = environment("aigc-workers-juggernaut-server");
  expect(own).toMatchObject({ NAMED_ONLY: "true", MODEL_ID: "RunDiffusion/Juggernaut-XL-v9" });
  expect(environment("models-juggernaut-download").MODEL_ID).toBe(own.MODEL_ID);
  expect(environment("api-server").OTHER_MODELS).toBe(own.MODEL_ID);
});

test("what tells the costs of deletion may patch the status of pods, and nothing else", () => {
  const roles = Object.values(elastic).filter(({ type }) => type.endsWith(":Role"));
  const rules = roles.flatMap(
    ({ inputs }) => ((inputs as Props).rules as Props[] | undefined) ?? [],
  );
  expect(rules).toEqual([{ apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] }]);
  const withToken = Object.entries(pods).filter(
    ([, { spec }]) => spec.automountServiceAccountToken,
  );
  // Prometheus finds the nodes.
  expect(withToken.map(([name]) => name)).toEqual(["deletion-costs-server", "monitoring-server"]);
});

test("KEDA asks the api where it answers, from its own namespace", () => {
  const { spec } = declared("aigc-workers-autoscaler-scaler");
  const url = new URL(spec.triggers[0].metadata.url);
  const [service, namespace] = url.hostname.split(".");
  expect([service, namespace, url.pathname]).toEqual(["api", "image-service", "/work"]);
  expect(url.searchParams.get("model")).toBe(environment("api-server").MODEL_ID);
  const ingress = declared("policies-api").spec.ingress as Props[];
  expect(ingress).toContainEqual({
    from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "keda" } } }],
    ports: [{ port: Number(url.port), protocol: "TCP" }],
  });
});

test("workers on trial have what is tried and their share, which the others leave to them", () => {
  const image = (name: string) => (containersOf(pods[name]?.spec as Props)[0] as Props).image;
  expect(image("aigc-workers-canary-server")).toMatch(/@sha256:2{64}$/);
  expect(image("aigc-workers-server")).not.toBe(image("aigc-workers-canary-server"));
  const { CANARY, CANARY_SHARE } = environment("aigc-workers-canary-server");
  expect([CANARY, CANARY_SHARE]).toEqual(["true", "0.05"]);
  expect(environment("aigc-workers-juggernaut-server")).not.toHaveProperty("CANARY_SHARE");
  const told = ["aigc-workers-server", "aigc-workers-base-server", "api-server"];
  for (const name of told) {
    expect(environment(name)).toMatchObject({ CANARY_SHARE });
    expect(environment(name)).not.toHaveProperty("CANARY");
  }
});

test("one key makes all workers what was on trial, and another value of it leaves nothing of it", async () => {
  const trial = {
    "workers.canary.image": `registry.example.com/worker@sha256:${"2".repeat(64)}`,
    "workers.canary.model": "owner/name",
    "workers.canary.revision": "1".repeat(40),
  };
  const [promoted, off, before] = await declareEach("prod", [
    { ...trial, "workers.canary.stage": "promoted" },
    { ...trial, "workers.canary.stage": "off" },
    {},
  ]);
  expect(off).toEqual(before);
  // What is given is not built.
  const names = (outcome: typeof before) => Object.keys(outcome ?? {}).sort();
  expect(names(promoted)).toEqual(names(before).filter((name) => name !== "worker-image-build"));
  const text = JSON.stringify(promoted);
  expect(text).toContain(trial["workers.canary.image"]);
  expect(text).not.toContain("stabilityai/stable-diffusion-xl-base-1.0");
  expect(text).not.toContain("CANARY");
});
