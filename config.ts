import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** Kubernetes quantity of memory or disk, e.g. 512Mi. */
const quantity = z.string().regex(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$/, "a quantity like 512Mi or 10Gi");
const digest = z
  .string()
  .regex(/^[^\s@]+@sha256:[0-9a-f]{64}$/, "an image by digest: repository@sha256:…");
const resources = (cpu: string, request: string, limit: string) =>
  z
    .strictObject({
      requests: z.strictObject({ cpu: z.string(), memory: quantity }),
      limits: z.strictObject({ memory: quantity }),
    })
    .default({ requests: { cpu, memory: request }, limits: { memory: limit } });
const replicas = (count: number) => z.int().min(1).max(100).default(count);

/** Every key of the stack's configuration. A stack file gives what has no default. */
const schema = z.strictObject({
  /** Namespace that holds the whole stack. */
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
    .default("image-service"),
  /** Path of the kubeconfig file. Default: $KUBECONFIG or ~/.kube/config, as kubectl. */
  kubeconfig: z.string().optional(),
  /** Context in the kubeconfig. Default: its current context. */
  context: z.string().optional(),
  /** Host name of the cluster's DNS Service, for nginx. */
  clusterDns: z.string().default("kube-dns.kube-system.svc.cluster.local"),
  /** URL under which clients reach the service. */
  endpoint: z.url(),
  /** Images by digest. */
  images: z.strictObject({
    api: digest,
    worker: digest,
    nginx: digest,
    redis: digest,
    postgres: digest,
    prometheus: digest,
    objectStore: digest,
  }),
  api: z
    .strictObject({
      replicas: replicas(2),
      /** Longest wait for a picture, in seconds: 300, or 90 behind Cloudflare. */
      maxWaitSeconds: z.int().min(1).max(300).default(300),
      /** Requests a minute per client IP on generate. */
      rateLimit: z
        .string()
        .regex(/^\d+\/minute$/)
        .default("10/minute"),
      resources: resources("100m", "128Mi", "512Mi"),
    })
    .prefault({}),
  workers: z
    .strictObject({
      replicas: replicas(4),
      /** Repository of the weights, or tiny-random-sdxl, which is made by code. */
      model: z.string().default("stabilityai/stable-diffusion-xl-base-1.0"),
      /** CPU threads of the model. */
      threads: z.int().min(1).optional(),
      resources: resources("1", "16Gi", "24Gi"),
    })
    .prefault({}),
  nginx: z
    .strictObject({
      replicas: replicas(2),
      serviceType: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"),
      nodePort: z.int().min(30000).max(32767).optional(),
      resources: resources("50m", "64Mi", "256Mi"),
    })
    .prefault({}),
  redis: z
    .strictObject({
      storage: quantity.default("5Gi"),
      resources: resources("50m", "128Mi", "384Mi"),
    })
    .prefault({}),
  postgres: z
    .strictObject({
      storage: quantity.default("20Gi"),
      resources: resources("100m", "256Mi", "1Gi"),
    })
    .prefault({}),
  objectStore: z
    .strictObject({
      storage: quantity.default("100Gi"),
      resources: resources("50m", "64Mi", "512Mi"),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      storage: quantity.default("20Gi"),
      /** How long samples are kept. */
      retention: z
        .string()
        .regex(/^\d+[hdwy]$/)
        .default("15d"),
      resources: resources("100m", "256Mi", "1Gi"),
    })
    .prefault({}),
  /** Refuse to delete what holds data. */
  protect: z.boolean().default(true),
});

/** Secrets: `pulumi config set --secret KEY`. */
const secretKeys = [
  "apiSecret",
  "databasePassword",
  "redisPassword",
  "s3AccessKeyId",
  "s3SecretAccessKey",
] as const;

export type Config = z.infer<typeof schema> & {
  secrets: Record<(typeof secretKeys)[number], pulumi.Output<string>>;
};

/** Thrown before any resource is registered; its message lists every fault. */
export class ConfigError extends pulumi.RunError {}

/**
 * The stack's configuration, checked as a whole.
 * @throws ConfigError with every fault: key, value and what was expected
 */
export function loadConfig(config = new pulumi.Config()): Config {
  const values: Record<string, unknown> = {};
  for (const key of Object.keys(schema.shape)) {
    const text = config.get(key);
    if (text !== undefined) values[key] = parseValue(text);
  }
  const result = schema.safeParse(values);
  const faults = result.success
    ? []
    : result.error.issues.flatMap((issue) => describe(issue, values));
  const prefix = `${config.name}:`;
  for (const key of Object.keys(pulumi.runtime.allConfig())) {
    const name = key.slice(prefix.length);
    if (!key.startsWith(prefix)) continue;
    if (!(name in schema.shape) && !(secretKeys as readonly string[]).includes(name)) {
      faults.push(`${name}: no such key; remove it: pulumi config rm ${name}`);
    }
  }
  for (const key of secretKeys) {
    if (!config.get(key)) faults.push(`${key}: missing; set it: pulumi config set --secret ${key}`);
  }
  if (!result.success || faults.length > 0) {
    throw new ConfigError(
      `the configuration of stack ${pulumi.getStack()} has ${faults.length} fault(s):\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
  }
  const secrets = Object.fromEntries(secretKeys.map((key) => [key, config.requireSecret(key)]));
  return { ...result.data, secrets: secrets as Config["secrets"] };
}

/** Pulumi hands every value over as text: JSON for objects, numbers and booleans. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function describe(issue: z.core.$ZodIssue, values: Record<string, unknown>): string[] {
  const at = (path: PropertyKey[]) => path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${at([...issue.path, key])}: no such key; remove it`);
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    values,
  );
  const shown = value === undefined ? "missing" : JSON.stringify(value);
  return [`${at(issue.path)}: ${shown}; ${issue.message}`];
}
