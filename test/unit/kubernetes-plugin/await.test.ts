import type { V1Pod } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import { judgeDaemonSet } from "../../../local/kubernetes-plugin/await/daemonSet";
import { judgeDeployment } from "../../../local/kubernetes-plugin/await/deployment";
import { judgeJob } from "../../../local/kubernetes-plugin/await/job";
import { judgePersistentVolumeClaim } from "../../../local/kubernetes-plugin/await/persistentVolumeClaim";
import {
  failedContainers,
  judgePod,
  podProblems,
} from "../../../local/kubernetes-plugin/await/pod";
import { judgeService } from "../../../local/kubernetes-plugin/await/service";
import { judgeStatefulSet } from "../../../local/kubernetes-plugin/await/statefulSet";

const condition = (type: string, status: string, reason?: string, message?: string) => ({
  type,
  status,
  reason,
  message,
});
const rolledOut = [
  condition("Available", "True"),
  condition("Progressing", "True", "NewReplicaSetAvailable"),
];

describe("Deployment", () => {
  const deployment = (status: object, generation = 1) =>
    judgeDeployment({
      metadata: { generation },
      spec: { replicas: 2, selector: {}, template: {} },
      status: { observedGeneration: 1, ...status },
    });

  test("ready when the newest ReplicaSet is complete", () => {
    const status = { conditions: rolledOut, updatedReplicas: 2, availableReplicas: 2 };
    expect(deployment(status).state).toBe("ready");
  });
  test("not by a status that the controller wrote before the change", () => {
    const status = { conditions: rolledOut, updatedReplicas: 2, availableReplicas: 2 };
    expect(deployment(status, 2).state).toBe("waiting");
  });
  test("a rollout under way counts new pods", () => {
    const conditions = [
      condition("Available", "True"),
      condition("Progressing", "True", "Updated"),
    ];
    const seen = (availableReplicas: number) =>
      deployment({ conditions, replicas: 3, updatedReplicas: 1, availableReplicas });
    expect(seen(2)).toEqual({ state: "waiting", reason: "0 of 2 new pods available" });
    expect(seen(3)).toEqual({ state: "waiting", reason: "1 of 2 new pods available" });
  });
  test("says why pods can't be made and that the rollout is stuck", () => {
    const conditions = [
      condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota"),
      condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out"),
    ];
    expect(deployment({ conditions })).toEqual({
      state: "waiting",
      reason:
        "0 of 2 new pods available; [FailedCreate] exceeded quota; " +
        "[ProgressDeadlineExceeded] timed out",
    });
  });
});

describe("StatefulSet", () => {
  const set = (status: object, strategy = "RollingUpdate", generation = 1) =>
    judgeStatefulSet({
      metadata: { generation },
      spec: {
        replicas: 2,
        selector: {},
        serviceName: "s",
        template: {},
        updateStrategy: { type: strategy },
      },
      status: { observedGeneration: generation, replicas: 2, ...status },
    }).state;
  const newest = { currentRevision: "b", updateRevision: "b", currentReplicas: 2 };

  test("ready when all replicas run the newest revision", () => {
    expect(set({ readyReplicas: 2, ...newest })).toBe("ready");
    expect(set({ readyReplicas: 1, ...newest })).toBe("waiting");
    expect(set({ readyReplicas: 2, ...newest, currentRevision: "a" })).toBe("waiting");
  });
  test("with OnDelete old pods may stay", () => {
    expect(set({ readyReplicas: 2, currentRevision: "a" }, "OnDelete", 2)).toBe("ready");
  });
});

test("a DaemonSet is ready when every node has the newest pod available", () => {
  const status = (updatedNumberScheduled: number, observedGeneration = 2) => ({
    observedGeneration,
    currentNumberScheduled: 3,
    desiredNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    numberAvailable: 3,
    updatedNumberScheduled,
  });
  const judge = (updated: number, observed?: number) =>
    judgeDaemonSet({ metadata: { generation: 2 }, status: status(updated, observed) }).state;
  expect([judge(3), judge(2), judge(3, 1)]).toEqual(["ready", "waiting", "waiting"]);
});

test("a Job is ready when complete, and a failed one is not waited for", () => {
  expect(judgeJob({ status: { conditions: [condition("Complete", "True")] } }).state).toBe("ready");
  expect(judgeJob({ status: { active: 1 } }).state).toBe("waiting");
  const failure = condition("Failed", "True", "BackoffLimitExceeded", "too often");
  expect(judgeJob({ status: { conditions: [failure] } })).toEqual({
    state: "failed",
    reason: "the Job failed: [BackoffLimitExceeded] too often",
  });
});

describe("Service", () => {
  const selector = { app: "web" };
  const slice = (...ready: boolean[]) => ({
    addressType: "IPv4",
    endpoints: ready.map((is) => ({ addresses: ["10.0.0.1"], conditions: { ready: is } })),
  });
  const judge = (spec: object, slices: ReturnType<typeof slice>[] = [], seconds = 0, status = {}) =>
    judgeService({ spec, status }, slices, seconds).state;

  test.each([
    ["headless", { selector, clusterIP: "None" }],
    ["without selector", {}],
    ["ExternalName", { type: "ExternalName", selector }],
  ])("%s: ready at once", (_, spec) => {
    expect(judge(spec)).toBe("ready");
  });
  test("ready with its pods", () => {
    expect(judge({ selector }, [slice(true)])).toBe("ready");
    expect(judge({ selector }, [slice(true), slice(false)], 60)).toBe("waiting");
  });
  test("without pods only after they had time to appear", () => {
    expect(judge({ selector }, [slice()], 3)).toBe("waiting");
    expect(judge({ selector }, [slice()], 10)).toBe("ready");
  });
  test("a load balancer needs its address", () => {
    const spec = { type: "LoadBalancer", selector };
    expect(judge(spec, [slice(true)], 60)).toBe("waiting");
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
    expect(judge(spec, [slice(true)], 60, status)).toBe("ready");
  });
});

test("a claim is waited for unless its volume waits for a pod", () => {
  const claim = (phase: string) => ({ spec: { storageClassName: "fast" }, status: { phase } });
  const judge = (phase: string, volumeBindingMode?: string) =>
    judgePersistentVolumeClaim(
      claim(phase),
      volumeBindingMode ? { provisioner: "p", volumeBindingMode } : undefined,
    );
  expect(judge("Bound", "Immediate").state).toBe("ready");
  expect(judge("Pending", "WaitForFirstConsumer").state).toBe("ready");
  expect(judge("Pending", "Immediate").state).toBe("waiting");
  expect(judge("Pending")).toMatchObject({ reason: expect.stringContaining("does not exist") });
});

describe("Pod", () => {
  const container = (status: object) => ({
    name: "main",
    image: "i",
    imageID: "",
    ready: false,
    restartCount: 0,
    ...status,
  });
  const pod = (status: object): V1Pod => ({ metadata: { name: "web-1" }, status });
  const crashed = container({
    state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
    lastState: { terminated: { exitCode: 3, reason: "Error", message: "no database\n" } },
  });

  test("ready by its condition or its success", () => {
    expect(judgePod(pod({ conditions: [condition("Ready", "True")] })).state).toBe("ready");
    expect(judgePod(pod({ phase: "Succeeded" })).state).toBe("ready");
    expect(judgePod(pod({ phase: "Pending" })).state).toBe("waiting");
  });
  test("says that no node fits", () => {
    const conditions = [condition("PodScheduled", "False", "Unschedulable", "0/1 nodes")];
    expect(podProblems(pod({ conditions }))).toEqual(["pod web-1: [Unschedulable] 0/1 nodes"]);
  });
  test("says that an image can't be pulled, also for an init container", () => {
    const pulling = container({ state: { waiting: { reason: "ErrImagePull", message: "gone" } } });
    expect(podProblems(pod({ initContainerStatuses: [pulling] }))).toEqual([
      "pod web-1: container main: [ErrImagePull] gone",
    ]);
  });
  test("says that it crashes, and how it ended last", () => {
    expect(podProblems(pod({ containerStatuses: [crashed] }))).toEqual([
      "pod web-1: container main: [CrashLoopBackOff] back-off 10s",
      "pod web-1: container main ended with exit code 3 (Error): no database",
    ]);
    expect(failedContainers(pod({ containerStatuses: [crashed] }))).toEqual([
      { container: "main", previous: true },
    ]);
  });
  test("starting is no problem", () => {
    const starting = container({ state: { waiting: { reason: "ContainerCreating" } } });
    expect(podProblems(pod({ containerStatuses: [starting] }))).toEqual([]);
  });
});
