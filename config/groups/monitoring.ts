import { z } from "zod";
import { group, resources, volume } from "../fields";

const exporter = z.strictObject({
  job: z.string().regex(/^[a-z][a-z0-9-]*$/, "must be a name like dcgm"),
  host: z
    .string()
    .regex(
      /^[a-z0-9-]+\.[a-z0-9-]+\.svc\.[a-z0-9.-]+$/,
      "must be a Service like dcgm-exporter.gpu-operator.svc.cluster.local",
    ),
  port: z.int().min(1).max(65535),
});

export const monitoring = group("Prometheus and Alertmanager", {
  alertmanager: z
    .boolean()
    .default(true)
    .describe("Send alerts to receivers; else Prometheus only shows them"),
  receivers: z
    .array(z.enum(["webhook", "slack", "pagerduty", "email"]))
    .min(1, "must name one at least")
    .default(["webhook"])
    .describe("Who is told: webhook, slack, pagerduty and email, each with its secret"),
  email: group("Mail of receivers email", {
    to: z.string().default("").describe("Addresses that are told, with commas between"),
    from: z.string().default("").describe("Address that it comes from"),
    smarthost: z
      .string()
      .regex(/^([^\s:]+:\d+)?$/, "must be HOST:PORT like smtp.example.com:587")
      .default("")
      .describe("Server that takes it, with STARTTLS, or TLS at port 465"),
    username: z.string().default("").describe("User there, with the secret smtpPassword"),
  }),
  dashboards: z
    .boolean()
    .default(false)
    .describe("ConfigMaps with dashboards, for the sidecar of a Grafana in the cluster"),
  exporters: z
    .array(exporter)
    .default([])
    .describe(
      "What the cluster has already and Prometheus asks besides, such as DCGM's exporter or kube-state-metrics: each by job, host of its Service, headless where each pod is asked, and port of its pods",
    ),
  kubelets: z
    .boolean()
    .default(false)
    .describe(
      "Ask each node's kubelet of the stack's volumes and containers, with a ClusterRole for nodes/metrics, where the cluster allows that; with operator: its Prometheus asks them already",
    ),
  nodeExporter: z
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe(
      "Port of the node_exporter that each node of the cluster has, such as 9100, for alerts of their disks, memory and clocks; 0: none has",
    ),
  ownExporters: z
    .boolean()
    .default(false)
    .describe(
      "Exporters of nginx, PostgreSQL and Redis: what only these know of themselves, such as dropped connections, dead rows and each command's time",
    ),
  operator: z
    .boolean()
    .default(false)
    .describe(
      "Leave it to the Prometheus of the cluster's Prometheus operator: PodMonitors and a PrometheusRule in place of Prometheus and Alertmanager",
    ),
  operatorNamespace: z
    .string()
    .default("monitoring")
    .describe("Namespace of that Prometheus, which asks the pods"),
  operatorLabels: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      "Labels by which it takes PodMonitors and PrometheusRules, such as `release` for kube-prometheus-stack",
    ),
  runbook: z
    .string()
    .regex(/^(https?:\/\/\S+)?$/, "must be a URL, which a pager can open")
    .default("")
    .describe("URL under which you keep docs/runbook.md: alerts lead to their heading there"),
  watchdog: z
    .boolean()
    .default(false)
    .describe(
      "Send an alert that is always there, each minute, to the secret watchdogWebhook: a dead man's switch",
    ),
  retention: z
    .string()
    .regex(/^\d+[hdwy]$/, "must be like 15d")
    .default("15d")
    .describe("How long samples are kept"),
  ...volume("20Gi"),
  resources: resources("100m", "256Mi", "1Gi"),
  alertmanagerResources: resources("10m", "64Mi", "256Mi"),
});
