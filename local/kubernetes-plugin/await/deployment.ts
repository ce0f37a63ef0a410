import type { V1Deployment } from "@kubernetes/client-node";
import { type Condition, explain, ready, type Verdict, waiting } from "./verdict";

/** Ready when the newest ReplicaSet runs whole and the rollout is over. */
export function judgeDeployment({ metadata, spec, status = {} }: V1Deployment): Verdict {
  if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) {
    return waiting("waiting for the Deployment controller");
  }
  const find = (type: string): Condition | undefined =>
    status.conditions?.find((condition) => condition.type === type);
  const desired = spec?.replicas ?? 1;
  const updated = status.updatedReplicas ?? 0;
  const progressing = find("Progressing");
  const available = find("Available");
  const rolledOut =
    progressing?.status === "True" && progressing.reason === "NewReplicaSetAvailable";
  if (rolledOut && available?.status === "True" && updated >= desired) return ready;
  const troubles = [find("ReplicaFailure"), progressing]
    .filter((condition) => condition?.type === "ReplicaFailure" || condition?.status === "False")
    .map((condition) => explain(condition as Condition));
  // The status counts old pods and new ones together: as many as can be may be old.
  const old = (status.replicas ?? 0) - updated;
  const fresh = Math.max(0, (status.availableReplicas ?? 0) - old);
  return waiting([`${fresh} of ${desired} new pods available`, ...troubles].join("; "));
}
