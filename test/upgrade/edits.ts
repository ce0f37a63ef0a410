import { z } from "zod";
import { schema } from "../../config/schema";
import { secrets } from "../../config/secrets";
import type { Values } from "../placeholders";

interface Property {
  properties?: Record<string, Property>;
  default?: unknown;
}

const leaves = (group: Property, path = ""): [string, unknown][] =>
  Object.entries(group.properties ?? {}).flatMap(([key, property]) =>
    property.properties && property.default !== undefined
      ? leaves(property, `${path}${key}.`)
      : [[`${path}${key}`, property.default] as [string, unknown]],
  );

/** Every key of the configuration, and its default. */
const keys: [string, unknown][] = [
  ...leaves(z.toJSONSchema(schema, { io: "input" }) as Property),
  ...Object.keys(secrets).map((key): [string, string] => [key, ""]),
];

/** Another value of a kind that says what its values are like. */
function another(key: string, current: unknown): unknown {
  if (key in secrets) return `another${key}`;
  if (key.startsWith("images.")) return image;
  if (typeof current === "boolean") return !current;
  if (typeof current === "number") return current + 1;
  const [, amount, unit] = /^(\d+)([KMGT]i|m|)$/.exec(`${current}`) ?? [];
  return amount && `${2 * Number(amount)}${unit}`;
}

const network = {
  "aws.vpcId": "vpc-11111111",
  "aws.subnetIds": ["subnet-11111111", "subnet-22222222"],
  "aws.clientNetworks": ["10.1.0.0/16"],
};
const image = `registry.example/another@sha256:${"1".repeat(64)}`;
/** In place of those that are built. */
const given = {
  "build.repository": "",
  "images.api": image,
  "images.worker": image,
  "images.backup": image,
  "images.postgres": image,
};
const operated = {
  "postgres.operator": "cnpg",
  "images.cnpg": `registry.example/postgresql:18@sha256:${"1".repeat(64)}`,
};
const operatedMonitoring = { "monitoring.operator": true };
const companion = {
  repository: "owner/another",
  revision: "1".repeat(40),
  sha256: "1".repeat(64),
};
const scaled = { "workers.autoscaling.max": 4, "workers.minAvailable": 0 };
const onTrial = {
  "workers.canary.stage": "trial",
  "workers.canary.image": `registry.example/worker@sha256:${"2".repeat(64)}`,
};
const traced = { "traces.endpoint": "http://another.observability.svc:4318" };
const without = { "cloudflare.mode": "off", "nginx.serviceType": "NodePort" };

const nlb = {
  "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
  "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
};

/** Values of the other kinds, and what they need beside them. */
const own: Record<string, Values> = {
  "api.inTime.seconds": { "api.inTime.seconds": 30 },
  namespace: { namespace: "another" },
  webhookSecret: { webhookSecret: "anotherwebhookSecret", "api.webhooks": true },
  c2paCertificates: {
    "workers.contentCredentials": true,
    c2paCertificates: "anotherc2paCertificates",
    c2paKey: "c2paKey",
  },
  c2paKey: {
    "workers.contentCredentials": true,
    c2paCertificates: "c2paCertificates",
    c2paKey: "anotherc2paKey",
  },
  watchdogWebhook: { watchdogWebhook: "anotherwatchdogWebhook", "monitoring.watchdog": true },
  hubToken: { hubToken: "anotherhubToken", "models.gated": true },
  infrastructure: { infrastructure: "organization/another/stack" },
  kubeconfig: { kubeconfig: "/another/kubeconfig" },
  context: { context: "another" },
  clusterDns: { clusterDns: "coredns.kube-system.svc.cluster.local" },
  dnsNetworks: { dnsNetworks: ["169.254.25.10/32"] },
  podNetwork: { podNetwork: "172.16.0.0/12" },
  operatorNetworks: { operatorNetworks: ["198.51.100.0/24"] },
  endpoint: { endpoint: "https://another.example.com" },
  "images.api": given,
  "images.worker": given,
  "images.backup": given,
  "images.postgres": given,
  "nginx.serviceAnnotations": { "nginx.serviceAnnotations": { ...nlb, another: "annotation" } },
  "nginx.loadBalancerClass": { "nginx.loadBalancerClass": "example.com/another" },
  "nginx.proxyProtocol": {
    "nginx.proxyProtocol": true,
    "nginx.serviceAnnotations": {
      ...nlb,
      "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes":
        "proxy_protocol_v2.enabled=true",
    },
  },
  "nginx.trustedProxies": { ...without, "nginx.trustedProxies": ["10.1.0.0/16"] },
  "nginx.tls.secretName": { ...without, "nginx.tls.secretName": "another" },
  "nginx.tls.issuer": { ...without, "nginx.tls.issuer": "another" },
  "build.repository": { "build.repository": "registry.example.com/another" },
  "build.username": { "build.username": "another" },
  "pods.runtimeClass": { "pods.runtimeClass": "another" },
  "pods.priorityClass": { "pods.priorityClass": "another" },
  "pods.annotations": { "pods.annotations": { another: "annotation" } },
  "pods.labels": { "pods.labels": { another: "label" } },
  "pods.nodeSelector": { "pods.nodeSelector": { another: "label" } },
  "pods.tolerations": {
    "pods.tolerations": [{ key: "another", operator: "Exists", effect: "NoSchedule" }],
  },
  "pods.parts": { "pods.parts": { api: { priorityClass: "another" } } },
  "pods.pullSecrets": { "pods.pullSecrets": ["another"] },
  "aws.region": { "aws.region": "us-east-1" },
  "aws.vpcId": network,
  "aws.subnetIds": network,
  "aws.clientNetworks": network,
  "aws.eksCluster": { "aws.eksCluster": "another" },
  "aws.oidcProviderArn": {
    "aws.oidcProviderArn": "arn:aws:iam::111122223333:oidc-provider/another.example.com",
  },
  "aws.tags": { "aws.tags": { another: "tag" } },
  "cloudflare.mode": without,
  "cloudflare.zoneId": { "cloudflare.zoneId": "another" },
  "cloudflare.plan": { "cloudflare.plan": "enterprise" },
  "cloudflare.tunnel.minAvailable": {
    "cloudflare.tunnel.minAvailable": 2,
    "cloudflare.tunnel.replicas": 4,
  },
  "api.maxWaitSeconds": { "api.maxWaitSeconds": 60 },
  "api.rateLimit": { "api.rateLimit": "20/minute" },
  "api.corsOrigins": { "api.corsOrigins": ["https://another.example.com"] },
  "api.objective": { "api.objective": 99.5 },
  "api.uploads": { "api.uploads": true },
  "api.fetches": { "api.fetches": true },
  "api.webhooks": { "api.webhooks": true, webhookSecret: "webhookSecret" },
  "api.maxInput": { "api.maxInput": 20 },
  "workers.model": { "workers.model": "tiny-sdxl", "models.revision": "" },
  "workers.autoscaling.by": { ...scaled, "workers.autoscaling.by": "hpa" },
  "workers.autoscaling.min": { ...scaled, "workers.autoscaling.min": 2 },
  "workers.autoscaling.max": scaled,
  "workers.autoscaling.targetSeconds": { ...scaled, "workers.autoscaling.targetSeconds": 60 },
  "workers.autoscaling.cooldownSeconds": { ...scaled, "workers.autoscaling.cooldownSeconds": 600 },
  "workers.autoscaling.schedules": {
    ...scaled,
    "workers.autoscaling.schedules": [{ start: "0 8 * * *", end: "0 18 * * *", replicas: 3 }],
  },
  "workers.autoscaling.kedaNamespace": {
    ...scaled,
    "workers.autoscaling.kedaNamespace": "another",
  },
  "workers.pools": { "workers.pools": [{ name: "another" }] },
  "workers.canary.stage": onTrial,
  "workers.canary.share": { ...onTrial, "workers.canary.share": 0.2 },
  "workers.canary.replicas": { ...onTrial, "workers.canary.replicas": 2 },
  "workers.canary.image": onTrial,
  "workers.canary.model": {
    ...onTrial,
    "workers.canary.model": "owner/name",
    "workers.canary.revision": "1".repeat(40),
  },
  "workers.canary.revision": { ...onTrial, "workers.canary.revision": "1".repeat(40) },
  "workers.compiledSizes": { "workers.compiledSizes": ["512x512"] },
  "workers.compile": { "workers.compile": "whole" },
  "workers.precision": { "workers.precision": "fp8" },
  "workers.contentCredentials": {
    "workers.contentCredentials": true,
    c2paCertificates: "c2paCertificates",
    c2paKey: "c2paKey",
  },
  "workers.nodeSelector": { "workers.nodeSelector": { another: "label" } },
  "workers.tolerations": { "workers.tolerations": [] },
  "workers.runtimeClass": { "workers.runtimeClass": "another" },
  "models.endpoint": { "models.endpoint": "https://another.example.com" },
  "models.revision": { "models.revision": "1".repeat(40) },
  "models.sampling": {
    "models.sampling": [
      {
        model: "stabilityai/stable-diffusion-xl-base-1.0",
        steps: 4,
        maxSteps: 8,
        guidanceScale: 0,
        maxGuidanceScale: 1,
        side: 512,
      },
    ],
  },
  "models.loras": {
    "models.loras": [
      {
        name: "another",
        repository: "owner/another",
        revision: "1".repeat(40),
        file: "another.safetensors",
        sha256: "1".repeat(64),
      },
    ],
  },
  "models.safetyChecker": { "models.safetyChecker": companion },
  "models.upscaler": { "models.upscaler": companion },
  "models.image": { "models.image": image },
  "models.storageClass": { "models.storageClass": "another" },
  "models.accessMode": { "models.accessMode": "ReadWriteOnce" },
  "nginx.serviceType": without,
  "nginx.nodePort": { ...without, "nginx.nodePort": 30999 },
  "nginx.minAvailable": { "nginx.minAvailable": 2, "nginx.replicas": 4 },
  "nginx.maxBody": { "nginx.maxBody": "1m" },
  "redis.managed": network,
  "redis.nodeType": { "redis.nodeType": "cache.t4g.medium" },
  "redis.storageClass": { "redis.storageClass": "another" },
  "postgres.managed": network,
  "postgres.instanceClass": { "postgres.instanceClass": "db.t4g.large" },
  "images.cnpg": { ...operated, "images.cnpg": image.replace("@", ":18@") },
  "postgres.operator": operated,
  "postgres.replicas": { ...operated, "postgres.replicas": 3 },
  "postgres.operatorNamespace": { ...operated, "postgres.operatorNamespace": "another" },
  "postgres.engineVersion": { "postgres.engineVersion": "19" },
  "postgres.storageClass": { "postgres.storageClass": "another" },
  "objectStore.bucket": { "objectStore.bucket": "another" },
  "objectStore.storageClass": { "objectStore.storageClass": "another" },
  "backups.schedule": { "backups.schedule": "0 3 * * *" },
  "backups.timeZone": { "backups.timeZone": "Europe/Paris" },
  "monitoring.receivers": { "monitoring.receivers": ["slack"] },
  "monitoring.email.to": { "monitoring.email.to": "another@example.com" },
  "monitoring.email.from": { "monitoring.email.from": "another@example.com" },
  "monitoring.email.smarthost": { "monitoring.email.smarthost": "another.example.com:587" },
  "monitoring.email.username": { "monitoring.email.username": "another" },
  "monitoring.operator": operatedMonitoring,
  "monitoring.operatorNamespace": {
    ...operatedMonitoring,
    "monitoring.operatorNamespace": "another",
  },
  "monitoring.operatorLabels": {
    ...operatedMonitoring,
    "monitoring.operatorLabels": { release: "another" },
  },
  "monitoring.runbook": { "monitoring.runbook": "https://wiki.example.com/runbook" },
  "monitoring.retention": { "monitoring.retention": "30d" },
  "logs.retention": { "logs.enabled": true, "images.vlagent": image, "logs.retention": "30d" },
  "logs.enabled": { "logs.enabled": true, "images.vlagent": image },
  "logs.storageClass": {
    "logs.enabled": true,
    "images.vlagent": image,
    "logs.storageClass": "another",
  },
  "traces.endpoint": traced,
  "traces.ratio": { ...traced, "traces.ratio": 0.5 },
  "monitoring.exporters": {
    "monitoring.exporters": [{ job: "another", host: "another.ns.svc.cluster.local", port: 8080 }],
  },
  "monitoring.storageClass": { "monitoring.storageClass": "another" },
};

/**
 * An edit of each key, with what it needs beside it.
 * @param given what the stack says of a key; undefined: its default is edited
 */
export function edits(given: (key: string) => unknown): Record<string, Values> {
  return Object.fromEntries(
    keys.map(([key, fallback]) => {
      const edit: Values = { [key]: another(key, given(key) ?? fallback), ...own[key] };
      if (edit[key] === undefined) throw new Error(`${key} needs an edit in test/upgrade/edits.ts`);
      return [key, edit];
    }),
  );
}
