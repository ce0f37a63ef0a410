import { setTimeout as sleep } from "node:timers/promises";
import type { V1EndpointSlice, V1StorageClass } from "@kubernetes/client-node";
import type { Cluster } from "../cluster";
import type { ResourceLog } from "../engine";
import { describe, type KubernetesObject } from "../objects";
import { judgeDaemonSet } from "./daemonSet";
import { judgeDeployment } from "./deployment";
import { judgeJob } from "./job";
import { judgePersistentVolumeClaim } from "./persistentVolumeClaim";
import { judgePod } from "./pod";
import { findProblems, lastWords, type Problems } from "./problems";
import { judgeService, settleSeconds } from "./service";
import { judgeStatefulSet } from "./statefulSet";
import { ready, type Verdict, waiting } from "./verdict";

/** @param seconds how long nothing has changed */
type Rule = (object: KubernetesObject, cluster: Cluster, seconds: number) => Promise<Verdict>;

/** A rule that needs to see nothing but the object. */
const alone =
  <T>(judge: (object: T) => Verdict): Rule =>
  async (object) =>
    judge(object as T);

const rules: Record<string, Rule> = {
  "apps/v1/DaemonSet": alone(judgeDaemonSet),
  "apps/v1/Deployment": alone(judgeDeployment),
  "apps/v1/StatefulSet": alone(judgeStatefulSet),
  "batch/v1/Job": alone(judgeJob),
  "v1/PersistentVolumeClaim": async (object, cluster) =>
    judgePersistentVolumeClaim(object, await storageClassOf(object, cluster)),
  "v1/Pod": alone(judgePod),
  "v1/Service": async (object, cluster, seconds) =>
    judgeService(object, await endpointSlicesOf(object, cluster), seconds),
};

/** Whether an object is ready, judged once. */
export async function judge(
  cluster: Cluster,
  object: KubernetesObject,
  seconds = settleSeconds,
): Promise<Verdict> {
  const rule = ruleOf(object);
  return rule ? await rule(object, cluster, seconds) : ready;
}

function ruleOf({ apiVersion, kind }: KubernetesObject): Rule | undefined {
  return rules[`${apiVersion}/${kind}`];
}

export interface Wait {
  cluster: Cluster;
  log: ResourceLog;
  /** Aborted when the engine cancels. */
  signal: AbortSignal;
  timeoutSeconds: number;
}

/** An object as last seen, and why it isn't ready if it isn't. */
export interface Outcome {
  live: KubernetesObject;
  reasons: string[];
}

/** Waits until an object is ready, has failed, or the time is up, and says what it waits for. */
export async function untilReady(object: KubernetesObject, wait: Wait): Promise<Outcome> {
  const { cluster, log, signal, timeoutSeconds } = wait;
  if (!ruleOf(object)) return { live: object, reasons: [] };
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  let live = object;
  let verdict: Verdict;
  let problems: Problems = { messages: [], pods: [] };
  for (;;) {
    try {
      const found = await cluster.find(live);
      if (!found)
        return { live, reasons: [`${describe(live)} was deleted while it was waited for`] };
      live = found;
      verdict = await judge(cluster, live, seconds());
    } catch (error) {
      // It is made, so it must get into the state: an API server that restarts is waited for.
      verdict = waiting((error as Error).message);
    }
    if (verdict.state === "ready") {
      log.status("");
      return { live, reasons: [] };
    }
    if (verdict.state === "waiting") log.status(verdict.reason);
    // Most objects are ready before there is anything to tell.
    if (seconds() > 2 || verdict.state === "failed") {
      problems = await findProblems(cluster, live).catch(() => problems);
      for (const message of problems.messages) log.problem(message);
    }
    const end = ending(verdict, seconds() >= timeoutSeconds, timeoutSeconds, signal);
    if (end) {
      const words = await lastWords(cluster, problems.pods);
      return { live, reasons: [`${describe(live)}: ${end}`, ...problems.messages, ...words] };
    }
    await pause(seconds(), signal);
  }
}

/** Why the waiting ends now without the object being ready, if it does. */
function ending(
  verdict: Exclude<Verdict, { state: "ready" }>,
  isLate: boolean,
  timeoutSeconds: number,
  signal: AbortSignal,
): string | undefined {
  if (verdict.state === "failed") return verdict.reason;
  if (signal.aborted) return `cancelled while ${verdict.reason}`;
  if (!isLate) return undefined;
  return (
    `not ready after ${timeoutSeconds} s: ${verdict.reason}. Mend what stands below, or give it ` +
    "more time with customTimeouts"
  );
}

/** Short at first, so that what is ready soon costs little time; then easy on the API server. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  const milliseconds = seconds < 3 ? 200 : 1_000;
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

async function storageClassOf(claim: KubernetesObject, cluster: Cluster) {
  const { storageClassName } = claim.spec as { storageClassName?: string };
  if (!storageClassName) return undefined;
  return (await cluster.find({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: storageClassName },
  })) as V1StorageClass | undefined;
}

async function endpointSlicesOf(service: KubernetesObject, cluster: Cluster) {
  return await cluster.list<V1EndpointSlice>(
    { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
    service.metadata.namespace ?? "default",
    { labelSelector: `kubernetes.io/service-name=${service.metadata.name}` },
  );
}
