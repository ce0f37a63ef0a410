import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, provider } from "./harness";

const missing = "localhost/none:1";
const pullFailure = /pod bad-image-\S+: container main: \[(ErrImagePull|ImagePullBackOff)\]/;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start("waiting");
});
afterAll(() => engine.stop());

type PodSpec = kubernetes.types.input.core.v1.PodSpec;

/** Makes Deployments and the like, each of one pod, in a namespace of the test's own. */
function workloads(timeout = "15s", namespaceLabels = {}) {
  const options = { provider: provider() };
  const namespace = new kubernetes.core.v1.Namespace(
    "waiting-test",
    { metadata: { labels: namespaceLabels } },
    options,
  ).metadata.name;
  const settings: CustomResourceOptions = {
    ...options,
    customTimeouts: { create: timeout, update: timeout },
  };
  const labels = (app: string) => ({ app });
  const template = (name: string, container: object, spec: Partial<PodSpec> = {}) => ({
    metadata: { labels: labels(name) },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image: engine.image("pause"), ...container }],
      ...spec,
    },
  });
  return {
    namespace,
    settings,
    deployment: (name: string, container: object, spec: Partial<PodSpec> = {}, annotations = {}) =>
      new kubernetes.apps.v1.Deployment(
        name,
        {
          metadata: { namespace, name, annotations },
          spec: {
            selector: { matchLabels: labels(name) },
            template: template(name, container, spec),
          },
        },
        settings,
      ),
    statefulSet: (name: string, container: object) =>
      new kubernetes.apps.v1.StatefulSet(
        name,
        {
          metadata: { namespace, name },
          spec: {
            serviceName: name,
            selector: { matchLabels: labels(name) },
            template: template(name, container),
          },
        },
        settings,
      ),
    job: (name: string, container: object) =>
      new kubernetes.batch.v1.Job(
        name,
        {
          metadata: { namespace, name },
          spec: {
            backoffLimit: 0,
            template: template(name, container, { restartPolicy: "Never" }),
          },
        },
        settings,
      ),
  };
}

test("says why something does not get ready, and keeps it in the state", async () => {
  const { error = "", messages } = await engine.attempt(
    "up",
    async () => {
      const make = workloads();
      const { namespace, settings } = make;
      make.deployment("bad-image", { image: missing });
      make.deployment("no-node", {}, { nodeSelector: { none: "such" } });
      make.deployment("unready", {
        readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1 },
      });
      make.statefulSet("crashing", {
        image: engine.image("redis"),
        command: ["redis-server", "--no"],
        readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 60 },
      });
      make.job("failing", { image: engine.image("redis"), command: ["redis-server", "--no"] });
      new kubernetes.core.v1.Service(
        "no-address",
        {
          metadata: { namespace },
          spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
        },
        settings,
      );
      new kubernetes.core.v1.PersistentVolumeClaim(
        "no-class",
        {
          metadata: { namespace },
          spec: {
            storageClassName: "none",
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
          },
        },
        settings,
      );
    },
    { continueOnError: true },
  );

  expect(error).toMatch(
    /Deployment \S+\/bad-image: not ready after 15 s: 0 of 1 new pods available/,
  );
  expect(error).toMatch(pullFailure);
  expect(error).toMatch(/pod no-node-\S+: \[Unschedulable\] 0\/1 nodes are available/);
  expect(error).toMatch(/pod unready-\S+: \[Unhealthy\] Readiness probe failed/);
  expect(error).toMatch(/pod crashing-0: container main ended with exit code 1/);
  expect(error).toMatch(/pod crashing-0: container main wrote:[\s\S]*Bad directive/);
  expect(error).toMatch(/Job \S+\/failing: the Job failed: \[BackoffLimitExceeded\]/);
  expect(error).toMatch(/pod failing-\S+: container main wrote:[\s\S]*Bad directive/);
  expect(error).toMatch(
    /Service \S+: not ready after 15 s: waiting for the load balancer's address/,
  );
  expect(error).toMatch(/PersistentVolumeClaim \S+: .* storage class none, which does not exist/);
  // It was said while it waited, too.
  expect(messages).toContainEqual(expect.stringMatching(new RegExp(`^${pullFailure.source}`)));
  const { deployment } = await engine.stack.exportStack();
  const kept = deployment.resources.filter(
    ({ initErrors }: { initErrors?: string[] }) => initErrors?.length,
  );
  expect(kept).toHaveLength(7);
});

test("the next update mends what can be mended", async () => {
  const run = await engine.run("up", async () => {
    workloads("2m").deployment("bad-image", {});
  });
  expect(run.steps).toContainEqual({ name: "bad-image", op: "update" });
});

test("skipAwait waits for nothing", async () => {
  await engine.run("up", async () => {
    workloads().deployment("bad-image", { image: missing }, {}, { "pulumi.com/skipAwait": "true" });
  });
});

test("timeoutSeconds limits the wait", async () => {
  const { error } = await engine.attempt("up", async () => {
    const annotations = { "pulumi.com/timeoutSeconds": "3" };
    workloads("0s").deployment("bad-image", { image: missing }, {}, annotations);
  });
  expect(error).toContain("not ready after 3 s");
});

test("a refresh says what is not ready and goes on", async () => {
  const { messages } = await engine.attempt("refresh");
  expect(messages.join("\n")).toContain("0 of 1 new pods available");
});

test("Ctrl-C ends the wait, says what it waited for and keeps the state", async () => {
  const cancelled = new AbortController();
  const { error } = await engine.attempt(
    "up",
    async () => {
      workloads("10m").deployment("bad-image", { image: missing });
    },
    {
      signal: cancelled.signal,
      onOutput: (text) => {
        if (text.includes("new pods available")) cancelled.abort();
      },
    },
  );
  expect(error).toMatch(/bad-image: cancelled while 0 of 1 new pods available/);
  const { deployment } = await engine.stack.exportStack();
  expect(deployment.pending_operations).toBeUndefined();
});

test("the cluster's own warnings and refusals reach the person who runs Pulumi", async () => {
  const { error, messages } = await engine.attempt("up", async () => {
    const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };
    workloads("3s", { ...restricted, "pod-security.kubernetes.io/warn": "restricted" }).statefulSet(
      "forbidden",
      {},
    );
  });
  expect(messages.join("\n")).toMatch(/would violate PodSecurity/i);
  expect(error).toMatch(/statefulset forbidden: \[FailedCreate\].*violates PodSecurity/);
});
