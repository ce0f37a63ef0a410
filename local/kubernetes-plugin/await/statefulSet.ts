import type { V1StatefulSet } from "@kubernetes/client-node";
import { ready, type Verdict, waiting } from "./verdict";

/** Ready when every replica is, and runs the newest revision unless pods are replaced by hand. */
export function judgeStatefulSet({ metadata, spec, status }: V1StatefulSet): Verdict {
  const generation = metadata?.generation ?? 0;
  if (!status || (status.observedGeneration ?? 0) < generation) {
    return waiting("waiting for the StatefulSet controller");
  }
  const desired = spec?.replicas ?? 1;
  const readyReplicas = status.readyReplicas ?? 0;
  const complete = status.replicas === desired && readyReplicas === desired;
  const byHand = spec?.updateStrategy?.type === "OnDelete" && generation > 1;
  const newest =
    status.currentRevision === status.updateRevision && (status.currentReplicas ?? 0) === desired;
  if (complete && (byHand || newest)) return ready;
  const current =
    status.currentRevision === status.updateRevision
      ? readyReplicas
      : Math.min(readyReplicas, status.updatedReplicas ?? 0);
  return waiting(`${current} of ${desired} pods ready in the newest revision`);
}
