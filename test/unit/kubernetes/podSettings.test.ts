import { beforeAll, expect, test } from "vitest";
import { partOf } from "../../../components/kubernetes/podSettings";
import { parts } from "../../../config/groups/pods";
import { podOf } from "../../../policy/resource";
import type { Declared } from "../../golden/record";
import { resourcesOf } from "../../golden/resources";
import { declareEach, stacks } from "../../golden/stacks";

const podsOf = (stack: string, declared?: Declared) =>
  resourcesOf(stack, declared).flatMap((resource) => {
    const pod = podOf(resource);
    return pod ? [{ ...pod, selector: resource.props.spec.selector?.matchLabels }] : [];
  });

const spot = { key: "spot", operator: "Exists", effect: "NoSchedule" };
let set: ReturnType<typeof podsOf>;
let refusals: string[];

beforeAll(async () => {
  const [declared, ...refused] = await declareEach("local", [
    {
      "pods.runtimeClass": "kata",
      "pods.priorityClass": "normal",
      "pods.annotations": { "sidecar.istio.io/inject": "false" },
      "pods.labels": { team: "pictures" },
      "pods.nodeSelector": { "kubernetes.io/arch": "amd64" },
      "pods.tolerations": [spot],
      "pods.parts": { api: { priorityClass: "high", labels: { tier: "web" } } },
      "workers.runtimeClass": "nvidia",
    },
    { "pods.parts": { cache: { priorityClass: "high" } } },
    { "pods.labels": { app: "another" } },
  ]);
  set = podsOf("local", declared as Declared);
  refusals = refused.map((each) => (each as { refused: string }).refused);
});

test("every pod of the stack gets what is said of all, Jobs' and CronJobs' too", () => {
  expect(set.length).toBe(podsOf("local").length);
  for (const { labels, spec } of set) {
    expect(labels.team).toBe("pictures");
    expect(spec.nodeSelector["kubernetes.io/arch"]).toBe("amd64");
    expect(spec.tolerations).toContainEqual(spot);
    expect(spec.priorityClassName).toBe(labels.app === "api" ? "high" : "normal");
  }
});

test("what an operator makes pods of gets it, too", async () => {
  const [declared] = await declareEach("elastic", [
    {
      "pods.priorityClass": "normal",
      "pods.annotations": { "sidecar.istio.io/inject": "false" },
      "pods.labels": { team: "pictures" },
      "pods.nodeSelector": { "kubernetes.io/arch": "amd64" },
      "pods.tolerations": [spot],
      "pods.parts": { postgres: { priorityClass: "high", nodeSelector: { disks: "fast" } } },
    },
  ]);
  expect((declared as Declared)["postgres-cluster"]?.inputs).toMatchObject({
    spec: {
      priorityClassName: "high",
      inheritedMetadata: {
        labels: { team: "pictures", app: "postgres" },
        annotations: { "sidecar.istio.io/inject": "false" },
      },
      affinity: {
        nodeSelector: { "kubernetes.io/arch": "amd64", disks: "fast" },
        tolerations: [spot],
      },
      imagePullSecrets: [{ name: "registry-secret" }],
    },
  });
});

test("what an operator is not given is not there: to CloudNativePG an empty list is another pod's", async () => {
  const [declared] = await declareEach("elastic", [{}]);
  expect((declared as Declared)["postgres-cluster"]?.inputs).toMatchObject({
    spec: { affinity: expect.not.objectContaining({ tolerations: [] }) },
  });
  expect(JSON.stringify((declared as Declared)["postgres-cluster"]?.inputs)).not.toContain(
    '"nodeSelector":{}',
  );
});

test("a part has its own over that, and what the component says itself stays", () => {
  const find = (app: string) => set.find(({ labels }) => labels.app === app);
  expect(find("api")?.labels).toMatchObject({ tier: "web", team: "pictures" });
  expect(find("redis")?.labels.tier).toBeUndefined();
  expect(find("aigc-worker")?.spec.runtimeClassName).toBe("nvidia");
  expect(find("redis")?.spec.runtimeClassName).toBe("kata");
  expect(find("aigc-worker")?.spec.tolerations.length).toBeGreaterThan(1);
});

test("selectors stay as they are: labels besides the stack's own select nothing", () => {
  for (const { selector } of set) {
    if (selector) expect(Object.keys(selector)).not.toContain("team");
  }
});

test("an unknown part and the stack's own label are refused by name", () => {
  expect(refusals[0]).toContain("pods.parts.cache");
  expect(refusals[1]).toMatch(/pods\.labels.*app/);
});

test("the parts are those whose pods there are", () => {
  const apps = stacks.flatMap((stack) => podsOf(stack).map(({ labels }) => partOf(labels.app)));
  expect([...new Set(apps)].sort()).toEqual([...parts].sort());
});
