import type { V1DaemonSet } from "@kubernetes/client-node";
import { ready, type Verdict, waiting } from "./verdict";

/** Ready when every node that should run a pod has the newest one available. */
export function judgeDaemonSet({ metadata, status }: V1DaemonSet): Verdict {
  if (!status || (status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) {
    return waiting("waiting for the DaemonSet controller");
  }
  const desired = status.desiredNumberScheduled;
  const done = Math.min(
    status.updatedNumberScheduled ?? 0,
    status.numberAvailable ?? 0,
    status.numberReady,
  );
  return done >= desired ? ready : waiting(`${done} of ${desired} new pods available`);
}
