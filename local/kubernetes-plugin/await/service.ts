import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import { ready, type Verdict, waiting } from "./verdict";

/** How long pods get to appear behind a new Service before it counts as one without any. */
export const settleSeconds = 10;

/**
 * Ready when its load balancer, if it asks for one, has an address and every pod behind it is
 * ready. A Service without pods is ready too once that has not changed for a while.
 */
export function judgeService(
  { spec, status }: V1Service,
  slices: V1EndpointSlice[],
  seconds: number,
): Verdict {
  if (spec?.type === "LoadBalancer" && !status?.loadBalancer?.ingress?.length) {
    return waiting("waiting for the load balancer's address (does this cluster give out any?)");
  }
  const hasSelector = Object.keys(spec?.selector ?? {}).length > 0;
  if (!hasSelector || spec?.type === "ExternalName" || spec?.clusterIP === "None") return ready;
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const pending = endpoints.filter(({ conditions }) => conditions?.ready === false).length;
  if (pending > 0)
    return waiting(`waiting for ${pending} of ${endpoints.length} pods behind the Service`);
  if (endpoints.length > 0 || seconds >= settleSeconds) return ready;
  return waiting("waiting for pods that match spec.selector");
}
