import { z } from "zod";

// What the groups of keys in groups/ are made of.

/** Keys that belong together; each has its own default, so a stack file gives what differs. */
export function group<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);
}

/** By digest, so that a rollout is what was previewed. */
export const image = z
  .string()
  .regex(/^([^\s@]+@sha256:[0-9a-f]{64})?$/, "must name an image by digest: repository@sha256:…")
  .default("");

/** An image of this repository. */
export function builtImage(description: string) {
  return image.describe(`${description}; unless build.repository`);
}

/** An image that others publish. @param reference what runs where the key is left out */
export function publishedImage(description: string, reference: string) {
  return image
    .transform((given) => given || reference)
    .describe(`${description}; empty: the one of docker/images`);
}

/** A number of them. */
export const pods = z.int().max(1000);

export function availability(replicas: number) {
  return {
    replicas: pods.min(1).default(replicas).describe("Pods"),
    minAvailable: z
      .int()
      .min(0)
      .default(0)
      .describe("Pods that stay while nodes are drained; 0: all but a tenth, or one"),
  };
}

/** A Kubernetes quantity of memory or disk. */
export function quantity(size: string) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$/, "must be a quantity like 512Mi or 10Gi")
    .default(size);
}

/** A volume that keeps data. */
export function volume(size: string) {
  return {
    storage: quantity(size).describe("Size of its volume, which grows in place and never shrinks"),
    storageClass: z
      .string()
      .default("")
      .describe("Class of its volume, when that is made; empty: the cluster's default"),
  };
}

export function resources(cpu: string, request: string, limit: string) {
  return group("CPU and memory of each pod; CPU has no limit, so that a burst is not throttled", {
    requests: group("What the scheduler reserves", {
      cpu: z
        .string()
        .regex(/^\d+m?$/, "must be like 500m or 2")
        .default(cpu)
        .describe("CPU"),
      memory: quantity(request).describe("Memory"),
    }),
    limits: group("What it may not exceed", { memory: quantity(limit).describe("Memory") }),
  });
}

/** A taint of nodes that pods put up with. */
export const toleration = z.strictObject({
  key: z.string(),
  operator: z.enum(["Exists", "Equal"]),
  value: z.string().optional(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});
