import type { V1PersistentVolumeClaim, V1StorageClass } from "@kubernetes/client-node";
import { ready, type Verdict, waiting } from "./verdict";

/** Ready when bound; where the volume waits for the first pod that uses it, nothing is waited for. */
export function judgePersistentVolumeClaim(
  { spec, status }: V1PersistentVolumeClaim,
  storageClass: V1StorageClass | undefined,
): Verdict {
  if (status?.phase === "Bound") return ready;
  const waitsForPod = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  if (waitsForPod && status?.phase === "Pending") return ready;
  const name = spec?.storageClassName;
  const where = storageClass
    ? `of storage class ${name}`
    : name
      ? `of storage class ${name}, which does not exist`
      : "of no storage class: the cluster has no default";
  return waiting(`waiting for a volume ${where}`);
}
