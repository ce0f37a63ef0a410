import { z } from "zod";
import { group, resources, volume } from "../fields";

export const redis = group("The queue and the rate limits", {
  managed: z.boolean().default(false).describe("ElastiCache instead of a pod"),
  nodeType: z.string().default("cache.t4g.small").describe("With managed"),
  ...volume("5Gi"),
  resources: resources("50m", "128Mi", "384Mi"),
});

export const postgres = group("The task records", {
  managed: z.boolean().default(false).describe("RDS in two zones instead of a pod"),
  operator: z
    .enum(["none", "cnpg"])
    .default("none")
    .describe(
      "[CloudNativePG](backups.md#cloudnativepg) keeps pods and standbys, instead of one pod",
    ),
  replicas: z
    .int()
    .min(1)
    .max(9)
    .default(2)
    .describe("With operator: pods, of which one is written to"),
  operatorNamespace: z.string().default("cnpg-system").describe("With operator: of its own pods"),
  instanceClass: z.string().default("db.t4g.medium").describe("With managed"),
  engineVersion: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .default("18")
    .describe("With managed: of PostgreSQL; a [major one](runbook.md#on-rds) is an outage"),
  ...volume("20Gi"),
  resources: resources("100m", "256Mi", "1Gi"),
});

export const objectStore = group("The pictures", {
  managed: z
    .boolean()
    .default(false)
    .describe("A bucket of AWS that is made, encrypted and closed, instead of a pod"),
  bucket: z.string().default("").describe("A bucket of AWS that is there, instead of a pod"),
  ...volume("100Gi"),
  resources: resources("50m", "64Mi", "512Mi"),
});
