import { describe, expect, test } from "vitest";
import { changes } from "../../../local/kubernetes-plugin/diff";
import type { KubernetesObject, Metadata } from "../../../local/kubernetes-plugin/objects";
import {
  deletesBeforeReplace,
  replaces,
  replacingPaths,
} from "../../../local/kubernetes-plugin/replacement";

const immutable = { enableConfigMapMutable: false, enableSecretMutable: false };
const mutable = { enableConfigMapMutable: true, enableSecretMutable: true };

function replaced(kind: string, before: object, after: object, mutability = immutable): boolean {
  const [type, apiVersion] = kind.split(" of ");
  const inputs = { apiVersion, kind: type, metadata: {}, ...after } as KubernetesObject;
  const paths = replacingPaths(inputs, mutability);
  return changes(before, after).some((change) => replaces(change, paths));
}

describe("replaced", () => {
  test.each([
    ["Namespace of v1", { metadata: { name: "a" } }, { metadata: { name: "b" } }],
    ["Role of rbac.authorization.k8s.io/v1", { metadata: { namespace: "a" } }, { metadata: {} }],
    [
      "Deployment of apps/v1",
      { spec: { selector: { matchLabels: { app: "a" } } } },
      { spec: { selector: { matchLabels: { app: "b" } } } },
    ],
    ["StatefulSet of apps/v1", { spec: { serviceName: "a" } }, { spec: { serviceName: "b" } }],
    ["StatefulSet of apps/v1", { spec: {} }, { spec: { volumeClaimTemplates: [{}] } }],
    [
      "Job of batch/v1",
      { spec: { template: { spec: {} } } },
      { spec: { template: { spec: { a: 1 } } } },
    ],
    ["Service of v1", { spec: { clusterIP: "None" } }, { spec: {} }],
    [
      "PersistentVolumeClaim of v1",
      { spec: { accessModes: ["a"] } },
      { spec: { accessModes: ["b"] } },
    ],
    [
      "RoleBinding of rbac.authorization.k8s.io/v1",
      { roleRef: { name: "a" } },
      { roleRef: { name: "b" } },
    ],
    ["StorageClass of storage.k8s.io/v1", { provisioner: "a" }, { provisioner: "b" }],
    ["ConfigMap of v1", { data: { a: "1" } }, { data: { a: "2" } }],
    ["Secret of v1", { stringData: { a: "1" } }, { stringData: { a: "2" } }],
    [
      "Pod of v1",
      { spec: { containers: [{ image: "a" }] } },
      { spec: { containers: [{ image: "b" }] } },
    ],
    ["Pod of v1", { spec: {} }, { spec: { containers: [{ image: "b" }] } }],
  ])("%s: %j → %j", (kind, before, after) => {
    expect(replaced(kind, before, after)).toBe(true);
  });
});

describe("changed in place", () => {
  test.each([
    ["Deployment of apps/v1", { spec: { replicas: 1 } }, { spec: { replicas: 2 } }],
    ["Deployment of apps/v1", { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }],
    ["StatefulSet of apps/v1", { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }],
    ["CronJob of batch/v1", { spec: { schedule: "a" } }, { spec: { schedule: "b" } }],
    ["Service of v1", { spec: { type: "ClusterIP" } }, { spec: { type: "NodePort" } }],
    ["PersistentVolumeClaim of v1", { spec: { resources: 1 } }, { spec: { resources: 2 } }],
    ["ConfigMap of v1", { metadata: { labels: { a: "1" } } }, { metadata: { labels: { a: "2" } } }],
    [
      "Pod of v1",
      { spec: { containers: [{ name: "a" }] } },
      { spec: { containers: [{ name: "b" }] } },
    ],
  ])("%s: %j → %j", (kind, before, after) => {
    expect(replaced(kind, before, after)).toBe(false);
  });
});

test("ConfigMaps and Secrets change in place when they are mutable, unless they say otherwise", () => {
  for (const kind of ["ConfigMap of v1", "Secret of v1"]) {
    expect(replaced(kind, { data: { a: "1" } }, { data: { a: "2" } }, mutable)).toBe(false);
    const frozen = { immutable: true, data: { a: "2" } };
    expect(replaced(kind, { immutable: true, data: { a: "1" } }, frozen, mutable)).toBe(true);
  }
  expect(replaced("Secret of v1", { type: "a" }, { type: "b" }, mutable)).toBe(true);
});

test("only a chosen, unchanged name makes the deletion come first", () => {
  const object = (metadata: Metadata): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
  });
  const live = object({ name: "a", namespace: "n" });
  expect(deletesBeforeReplace(live, live)).toBe(true);
  expect(deletesBeforeReplace(object({ name: "b", namespace: "n" }), live)).toBe(false);
  expect(deletesBeforeReplace(object({ name: "a", namespace: "m" }), live)).toBe(false);
  const autonamed = { name: "a", namespace: "n", annotations: { "pulumi.com/autonamed": "true" } };
  expect(deletesBeforeReplace(object(autonamed), live)).toBe(false);
});
