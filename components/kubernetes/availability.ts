import * as k8s from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";

/** How many pods there are, and how many of them stay while nodes are drained. */
export interface Availability {
  /** Pods. */
  replicas: number;
  /** Pods that stay, below `replicas`; 0: all but a tenth, or one. */
  minAvailable: number;
}

/** Pods of an app away from each other: on other nodes first, then in other zones. */
export const spread = (
  labels: Record<string, string>,
): k8s.types.input.core.v1.TopologySpreadConstraint[] =>
  ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    // A crowded node is better than a pod that waits.
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: labels },
    // A rollout's old pods don't count.
    matchLabelKeys: ["pod-template-hash"],
  }));

/**
 * Pods of an app that are missed least: one, of more than ten a tenth, so that hundreds are through
 * within an hour. Kubernetes rounds it to one at least, in a budget
 * (https://kubernetes.io/docs/tasks/run-application/configure-pdb) and in a rollout without a surge.
 */
export const aTenth = "10%";

/** What a drain of nodes has to leave of an app. */
export function disruptionBudget(
  name: string,
  metadata: { name: string; namespace: string; labels: Record<string, string> },
  { replicas, minAvailable }: Availability,
  opts: CustomResourceOptions,
): void {
  new k8s.policy.v1.PodDisruptionBudget(
    `${name}-budget`,
    {
      metadata,
      spec: {
        selector: { matchLabels: metadata.labels },
        maxUnavailable: minAvailable ? replicas - minAvailable : aTenth,
        // A pod that is not ready serves nobody and holds no drain up.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      },
    },
    opts,
  );
}
