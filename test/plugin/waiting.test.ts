import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, kubeconfig, provider } from "./harness";

const missing = "localhost/none:1";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start("waiting");
});
afterAll(() => engine.stop());

type PodSpec = kubernetes.types.input.core.v1.PodSpec;

/** Makes Deployments and the like, each of one pod, in a namespace of the test's own. */
function workloads(timeout = "8s", namespaceLabels = {}, cluster = provider()) {
  const options = { provider: cluster };
  const namespace = new kubernetes.core.v1.Namespace(
    "plugin-test",
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

/** What a run said of one resource, in one text. */
const about = (messages: string[], name: string) =>
  messages.filter((message) => message.includes(name)).join("\n");

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
    /Deployment \S+\/bad-image: not ready after 8 s: 0 of 1 new pods available/,
  );
  expect(about([error], "bad-image")).toMatch(
    /\[(ErrImagePull|ImagePullBackOff)\].*localhost\/none/,
  );
  expect(error).toMatch(/pod no-node-\S+: \[Unschedulable\] 0\/1 nodes are available/);
  expect(error).toMatch(/pod unready-\S+: \[Unhealthy\] Readiness probe failed/);
  expect(error).toMatch(/pod crashing-0: container main ended with exit code 1/);
  expect(error).toMatch(/pod crashing-0: container main wrote:[^]*--no/);
  expect(error).toMatch(/Job \S+\/failing: the Job failed: \[BackoffLimitExceeded\]/);
  expect(error).toMatch(/pod failing-\S+: container main wrote:[^]*--no/);
  expect(error).toMatch(
    /Service \S+: not ready after 8 s: waiting for the load balancer's address/,
  );
  expect(error).toMatch(/PersistentVolumeClaim \S+: .* storage class none, which does not exist/);
  // It was said while it waited, too.
  expect(about(messages, "bad-image")).toContain("warning");
  const { deployment } = await engine.stack.exportStack();
  const kept = deployment.resources.filter(
    ({ initErrors }: { initErrors?: string[] }) => initErrors?.length,
  );
  expect(kept).toHaveLength(7);
});

test("the next update mends what can be mended", async () => {
  const run = await engine.run("up", async () => {
    const make = workloads();
    make.deployment("bad-image", {});
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

test("an API server that can't be reached for a while is waited for", async () => {
  const { kubeconfig, interrupt, close } = await breakableConnection();
  let isCut = false;
  const { messages, error } = await engine.attempt(
    "up",
    async () => {
      workloads("60s", {}, provider({ kubeconfig })).deployment("slow", {
        readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 5 },
      });
    },
    {
      onOutput: (text) => {
        if (isCut || !text.includes("new pods available")) return;
        isCut = true;
        interrupt(3_000);
      },
    },
  );
  close();
  expect(error).toBeUndefined();
  expect(messages.join("\n")).toMatch(/the Kubernetes API at \S+ can't be reached/);
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

/** The cluster behind a connection that can be cut. */
async function breakableConnection() {
  const config = JSON.parse(readFileSync(kubeconfig, "utf8"));
  const { cluster } = config.clusters[0];
  const target = new URL(cluster.server);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    kubeconfig: JSON.stringify(config),
    async interrupt(milliseconds: number) {
      isCut = true;
      for (const socket of sockets) socket.destroy();
      await sleep(milliseconds);
      isCut = false;
    },
    close: () => server.close(),
  };
}
