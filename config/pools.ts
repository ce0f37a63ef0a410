import type { Values } from "./rules/rule";

/** The pools besides the plain workers, each with what it takes over from them. */
export const poolsOf = ({ pools, ...plain }: Values["workers"]) =>
  pools.map(({ name, autoscaling, ...own }) => ({
    ...plain,
    name,
    autoscaling,
    minAvailable: 0,
    revision: own.revision ?? "",
    model: own.model ?? plain.model,
    replicas: own.replicas ?? 1,
    gpuPrice: own.gpuPrice ?? plain.gpuPrice,
    nodeSelector: own.nodeSelector ?? plain.nodeSelector,
    tolerations: own.tolerations ?? plain.tolerations,
  }));
