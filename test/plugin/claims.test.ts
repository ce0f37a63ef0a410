import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adoptClaims } from "../../components/kubernetes/claims";
import { singleReplica } from "../../components/kubernetes/statefulSet";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { Engine, provider } from "./harness";

const namespace = "claims-test";
const name = "store";
const storageClass = "claims-test";

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.start("claims");
});
afterAll(async () => {
  await pulumi("state", "unprotect", "--all", "--yes").catch(() => {});
  await engine.stop();
});

/** A command as a person gives it: the Automation API leaves the preview out. */
function pulumi(...command: string[]): Promise<string> {
  const { workspace, name } = engine.stack;
  const env = { ...process.env, ...workspace.envVars };
  return run("pulumi", [...command, "--stack", name, "--cwd", workspace.workDir], { env });
}

/** What both releases declare alike. */
function common() {
  const cluster = provider();
  const home = new kubernetes.core.v1.Namespace(
    "namespace",
    { metadata: { name: namespace } },
    { provider: cluster },
  );
  const growing = new kubernetes.storage.v1.StorageClass(
    "class",
    {
      metadata: { name: storageClass },
      provisioner: "rancher.io/local-path",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    },
    { provider: cluster },
  );
  const metadata = { name, namespace, labels: { app: name } };
  const service = new kubernetes.core.v1.Service(
    `${name}-service`,
    {
      metadata,
      spec: { clusterIP: "None", selector: metadata.labels, ports: [{ port: 80 }] },
    },
    { provider: cluster, dependsOn: [home, growing] },
  );
  const pod = {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "main",
        image: engine.image("backup"),
        command: ["sleep", "infinity"],
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      },
    ],
    volumes: [],
  };
  return { cluster, metadata, service, pod };
}

/** As releases declared it whose claims were their StatefulSets'. */
async function before(): Promise<void> {
  const { cluster, metadata, service, pod } = common();
  new kubernetes.apps.v1.StatefulSet(
    `${name}-server`,
    {
      metadata,
      spec: {
        serviceName: service.metadata.name,
        replicas: 1,
        selector: { matchLabels: metadata.labels },
        template: { metadata: { labels: metadata.labels }, spec: pod },
        volumeClaimTemplates: [
          {
            metadata: { name: "data" },
            spec: {
              storageClassName: storageClass,
              accessModes: ["ReadWriteOnce"],
              resources: { requests: { storage: "1Gi" } },
            },
          },
        ],
      },
    },
    { provider: cluster, protect: true },
  );
}

interface Settings {
  protect?: boolean;
  class?: string;
}

/** As this release declares it. @returns the provider of all but the claim */
function declare(storage: string, settings: Settings = {}): kubernetes.Provider {
  const { cluster, metadata, service, pod } = common();
  const claims = new kubernetes.Provider("claims", {
    kubeconfig,
    upsertExistingObjects: true,
    enablePatchForce: true,
  });
  const volume = {
    storage,
    storageClass: settings.class ?? "",
    protect: settings.protect ?? true,
  };
  const options = { provider: cluster, transformations: [adoptClaims(claims)] };
  singleReplica(name, { metadata, service, pod, volume }, options);
  return cluster;
}

const now = (storage: string, settings?: Settings) => async () => {
  declare(storage, settings);
};

const inPod = (command: string) =>
  engine.kubectl("exec", `-n${namespace}`, `${name}-0`, "--", "sh", "-c", command).trim();
const podId = () =>
  engine.kubectl("get", "pod", `${name}-0`, `-n${namespace}`, "-ojsonpath={.metadata.uid}");
const claim = (path: string) =>
  engine.kubectl("get", "pvc", `data-${name}-0`, `-n${namespace}`, `-ojsonpath={${path}}`);
const steps = ({ steps }: Awaited<ReturnType<Engine["run"]>>) =>
  steps.filter(({ op }) => op !== "same").map(({ name, op }) => `${op} ${name}`);

test("one update takes over the claim that a StatefulSet made, with its data, and frees the StatefulSet of it", async () => {
  await engine.run("up", before);
  inPod("echo kept >/data/file");
  const uid = claim(".metadata.uid");
  const upgrade = await engine.run("up", now("1Gi"));
  expect(steps(upgrade)).toEqual([
    "create store-volume",
    "delete-replaced store-server",
    "replace store-server",
    "create-replacement store-server",
  ]);
  expect(claim(".metadata.uid")).toBe(uid);
  expect(inPod("cat /data/file")).toBe("kept");
});

test("nothing else that is there is taken over", async () => {
  const metadata = { name: "foreign", namespace };
  engine.kubectl("create", "configmap", metadata.name, `-n${namespace}`);
  const { error } = await engine.attempt("up", async () => {
    new kubernetes.core.v1.ConfigMap("foreign", { metadata }, { provider: declare("1Gi") });
  });
  expect(error).toMatch(/claims-test\/foreign already exists/);
});

test("without a change nothing changes, and a refresh finds no drift", async () => {
  expect(steps(await engine.run("refresh"))).toEqual([]);
  expect(steps(await engine.run("up", now("1Gi")))).toEqual([]);
});

test("a claim grows in place, and its pod goes on", async () => {
  const uid = podId();
  expect(steps(await engine.run("up", now("2Gi")))).toEqual(["update store-volume"]);
  expect(claim(".spec.resources.requests.storage")).toBe("2Gi");
  expect(podId()).toBe(uid);
});

test("a claim doesn't shrink: the API server says so in the preview already", async () => {
  for (const operation of ["preview", "up"] as const) {
    const { error } = await engine.attempt(operation, now("512Mi"));
    expect(error).toMatch(/resources\.requests\.storage: Forbidden: field can not be less than/);
  }
  expect(claim(".spec.resources.requests.storage")).toBe("2Gi");
});

test("a destroy is refused before anything is deleted", async () => {
  const uid = podId();
  await expect(pulumi("destroy", "--yes")).rejects.toThrow(/store-volume.*cannot be deleted/s);
  expect(podId()).toBe(uid);
  expect(inPod("cat /data/file")).toBe("kept");
});

test("another class replaces no claim, protected or not", async () => {
  const protectedOne = await engine.attempt("up", now("2Gi", { class: "local-path" }));
  expect(protectedOne.error).toMatch(/unable to replace resource .*store-volume/);
  const unprotected = { protect: false };
  await engine.run("up", now("2Gi", unprotected));
  const other = await engine.attempt("up", now("2Gi", { ...unprotected, class: "local-path" }));
  expect(other.error).toMatch(/spec is immutable after creation/);
  await engine.run("up", now("2Gi", unprotected));
  expect(inPod("cat /data/file")).toBe("kept");
});

test("a claim that the program no longer declares stays, and is taken over again", async () => {
  const uid = claim(".metadata.uid");
  await engine.run("up", async () => void common());
  expect(claim(".metadata.uid")).toBe(uid);
  await engine.run("up", now("2Gi", { protect: false }));
  expect(inPod("cat /data/file")).toBe("kept");
});

test("once unprotected, a destroy leaves nothing", async () => {
  const volume = claim(".spec.volumeName");
  await engine.run("destroy");
  expect(engine.kubectl("get", "namespaces", "-o", "name")).not.toContain(namespace);
  await expect
    .poll(() => engine.kubectl("get", "pv", "-o", "name"), { timeout: 60_000, interval: 1_000 })
    .not.toContain(volume);
});
