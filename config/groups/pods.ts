import { z } from "zod";
import { group, toleration } from "../fields";

/** Whose pods there are, by their label `app`. */
export const parts = [
  ...[
    "aigc-worker",
    "alertmanager",
    "api",
    "api-migrations",
    "backup",
    "base-backup",
    "first-base-backup",
    "deletion-costs",
    "front-cloudflared",
    "models",
  ],
  ...[
    "nginx",
    "object-store",
    "postgres",
    "postgres-exporter",
    "prometheus",
    "pruning",
    "redis",
    "redis-exporter",
    "restore",
    "restore-drill",
    "scrub",
    "victoria-logs",
    "vlagent",
  ],
];

const labels = z
  .record(z.string(), z.string())
  .refine((given) => !("app" in given), "must leave out app, by which the stack finds its pods");
const settings = {
  runtimeClass: z.string().default("").describe("RuntimeClass, where the nodes' default won't do"),
  priorityClass: z.string().default("").describe("PriorityClass"),
  annotations: z
    .record(z.string(), z.string())
    .default({})
    .describe("Annotations, such as a service mesh's"),
  labels: labels.default({}).describe("Labels besides the stack's own"),
  nodeSelector: z
    .record(z.string(), z.string())
    .default({})
    .describe("Labels that their nodes have"),
  tolerations: z
    .array(toleration)
    .default([])
    .describe("Taints that they tolerate, besides the parts' own"),
};

export const pods = group("What the cluster asks of all pods", {
  pullSecrets: z
    .array(z.string())
    .default([])
    .describe("Secrets of the namespace with passwords of the images' registries; build's is made"),
  ...settings,
  parts: z
    .partialRecord(z.enum(parts), z.strictObject(settings))
    .default({})
    .describe(
      `The same keys for the pods of one part alone, over those of all: ${parts.join(", ")}`,
    ),
});
