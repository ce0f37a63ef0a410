import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { labels } from "../names";
import type { Alert } from "./alerts";

/** Prometheus finds the nodes by Kubernetes' API. */
export const eachNode = {
  kubernetes_sd_configs: [{ role: "node" }],
  relabel_configs: [{ source_labels: ["__meta_kubernetes_node_name"], target_label: "node" }],
};

/** What is kept of the thousand that a node_exporter has. */
const kept = [
  "node_filesystem_avail_bytes",
  "node_filesystem_readonly",
  "node_filesystem_size_bytes",
  "node_memory_MemAvailable_bytes",
  "node_memory_MemTotal_bytes",
  "node_timex_maxerror_seconds",
  "node_timex_sync_status",
];

/**
 * Job of Prometheus. Most often a node_exporter is in its node's own network, where no Service's
 * name and no policy's selector of pods finds it.
 * @param port at which each node has one
 */
export const nodeExporterJob = (port: number) => ({
  job_name: "node",
  scrape_interval: "30s",
  scrape_timeout: "10s",
  kubernetes_sd_configs: eachNode.kubernetes_sd_configs,
  relabel_configs: [
    ...eachNode.relabel_configs,
    // In the place of its kubelet's.
    {
      source_labels: ["__address__"],
      regex: "(.*):\\d+",
      target_label: "__address__",
      replacement: `$1:${port}`,
    },
  ],
  metric_relabel_configs: [{ source_labels: ["__name__"], regex: kept.join("|"), action: "keep" }],
});

/**
 * Leave to find the nodes.
 * @param kubelets and to ask their kubelets
 * @returns the part of the pod's spec that has it
 */
export function nodeAccess(
  name: string,
  { app, namespace, kubelets }: { app: string; namespace: string; kubelets: boolean },
  opts: pulumi.CustomResourceOptions,
) {
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata: { name: app, namespace, labels: labels(app) } },
    opts,
  );
  // Of the whole cluster; so their names say whose they are.
  const metadata = { name: `${namespace}-${app}`, labels: labels(app) };
  const role = new k8s.rbac.v1.ClusterRole(
    `${name}-role`,
    {
      metadata,
      rules: [
        { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
        // https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authorization
        ...(kubelets ? [{ apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] }] : []),
      ],
    },
    opts,
  );
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-binding`,
    {
      metadata,
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: role.metadata.name,
      },
      subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
    },
    opts,
  );
  return { serviceAccountName: account.metadata.name, automountServiceAccountToken: true };
}

/** The nodes' own disks: volumes of pods are mounted there, too. */
const disk = '{fstype!="tmpfs",mountpoint!~"/var/lib/kubelet/.+"}';
const free = `node_filesystem_avail_bytes${disk} / node_filesystem_size_bytes${disk}`;
const day = 86_400;

/** https://github.com/prometheus/node_exporter/blob/v1.11.1/docs/node-mixin/alerts/alerts.libsonnet */
export const nodeAlerts: Alert[] = [
  {
    name: "NodeDiskFills",
    // From 0.15 on its kubelet deletes images, at 0.1 it evicts pods:
    // https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
    when: [
      `min by (node, device) (${free} < 0.1 unless node_filesystem_readonly == 1)`,
      `min by (node, device) (${free} < 0.4 and predict_linear(node_filesystem_avail_bytes${disk}[6h], ${day}) < 0)`,
    ].join("\n  or "),
    for: "1h",
    severity: "ticket",
    summary:
      "Of {{ $labels.device }} of {{ $labels.node }} only {{ $value | humanizePercentage }} is free, and it fills up.",
    action:
      "On the node: du -xh --max-depth=2 / | sort -h; images, logs, or a pod's scratch space?",
  },
  {
    name: "NodeMemoryShort",
    when: "min by (node) (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) < 0.05",
    for: "10m",
    severity: "ticket",
    summary: "Of the memory of {{ $labels.node }} only {{ $value | humanizePercentage }} is free.",
    action: "kubectl top pods -A --sort-by memory, of the pods on that node: one without a limit?",
  },
  {
    name: "NodeClockUnsynchronised",
    // The kernel's bound of the error grows to 16 s and stays there, once nobody corrects it.
    when: "min by (node) (node_timex_sync_status) == 0 and max by (node) (node_timex_maxerror_seconds) >= 16",
    for: "10m",
    severity: "ticket",
    summary: "Nobody corrects the clock of {{ $labels.node }}.",
    action: "On the node: chronyc tracking, or timedatectl.",
  },
];
