import type { CoreV1Event, V1LabelSelector, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import type { Cluster } from "../cluster";
import type { KubernetesObject } from "../objects";
import { failedContainers, podProblems } from "./pod";

/** What stands in an object's way: in its pods, and in the warnings that the cluster gave. */
export interface Problems {
  messages: string[];
  pods: V1Pod[];
}

/** Reasons of events that say again what the pod's status says. */
const saidByStatus = ["BackOff", "Failed", "FailedScheduling"];

export async function findProblems(cluster: Cluster, object: KubernetesObject): Promise<Problems> {
  const namespace = object.metadata.namespace ?? "default";
  const replicaSets = object.kind === "Deployment" ? await newestReplicaSets(cluster, object) : [];
  const owners = [object.metadata.uid, ...replicaSets.map((set) => set.metadata?.uid)];
  const pods = (await podsOf(cluster, object)).filter(
    ({ metadata }) =>
      owners.includes(metadata?.uid) ||
      metadata?.ownerReferences?.some(({ uid }) => owners.includes(uid)),
  );
  const unready = pods.filter(
    ({ status }) =>
      !status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  const concerned = [...owners, ...unready.map(({ metadata }) => metadata?.uid)];
  const events = await cluster.list<CoreV1Event>({ apiVersion: "v1", kind: "Event" }, namespace, {
    fieldSelector: "type=Warning",
  });
  const warnings = events
    .filter(({ involvedObject }) => concerned.includes(involvedObject.uid))
    .filter(({ reason = "" }) => !saidByStatus.includes(reason))
    .map(({ involvedObject: { kind, name }, reason, message }): [string, string] => {
      const about = `${kind?.toLowerCase()} ${name}: [${reason}]`;
      return [about, `${about} ${message}`.trim()];
    });
  // One of a kind: a probe's failures, say, differ in nothing but numbers.
  const messages = [...unready.flatMap(podProblems), ...new Map(warnings).values()];
  return { messages: [...new Set(messages)], pods: unready };
}

/** The last lines of every container that failed, from one of the pods that have it. */
export async function lastWords(cluster: Cluster, pods: V1Pod[]): Promise<string[]> {
  const failed = new Map(
    pods.flatMap((pod) => failedContainers(pod).map((run) => [run.container, { pod, ...run }])),
  );
  const logs = [...failed.values()].map(async ({ pod, container, previous }) => {
    const reference = { ...pod, apiVersion: "v1", kind: "Pod" } as KubernetesObject;
    // The kubelet may have thrown the log away already.
    const log = await cluster.log(reference, { container, previous }).catch(() => "");
    return log.trim() && `pod ${pod.metadata?.name}: container ${container} wrote:\n${log.trim()}`;
  });
  return (await Promise.all(logs)).filter((text) => text !== "");
}

async function newestReplicaSets(cluster: Cluster, deployment: KubernetesObject) {
  const revision = "deployment.kubernetes.io/revision";
  const sets = await cluster.list<V1ReplicaSet>(
    { apiVersion: "apps/v1", kind: "ReplicaSet" },
    deployment.metadata.namespace ?? "default",
    { labelSelector: selectorText(deployment) },
  );
  return sets.filter(
    ({ metadata }) =>
      metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid) &&
      metadata.annotations?.[revision] === deployment.metadata.annotations?.[revision],
  );
}

async function podsOf(cluster: Cluster, object: KubernetesObject): Promise<V1Pod[]> {
  const query =
    object.kind === "Pod"
      ? { fieldSelector: `metadata.name=${object.metadata.name}` }
      : { labelSelector: selectorText(object) };
  if (!query.fieldSelector && !query.labelSelector) return [];
  const namespace = object.metadata.namespace ?? "default";
  return await cluster.list<V1Pod>({ apiVersion: "v1", kind: "Pod" }, namespace, query);
}

/** An object's spec.selector as a query; "" where it has none that selects pods. */
function selectorText(object: KubernetesObject): string {
  const { selector } = (object.spec ?? {}) as { selector?: V1LabelSelector };
  const equal = Object.entries(selector?.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  const others = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(",")})`;
  });
  return [...equal, ...others].join(",");
}
