import type { Alert } from "./alerts";
import { eachNode } from "./nodes";

/** https://kubernetes.io/docs/reference/networking/ports-and-protocols/ */
export const kubeletPort = 10250;

const credentials = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * What is kept of the many that a kubelet has, of the stack's namespace alone.
 * https://kubernetes.io/docs/reference/instrumentation/metrics/
 * https://github.com/google/cadvisor/blob/v0.53.0/docs/storage/prometheus.md
 */
const kept = {
  kubelet: ["kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"],
  cadvisor: [
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_oom_events_total",
  ],
};

/** Jobs of Prometheus. */
export const kubeletJobs = (namespace: string) =>
  [
    { job: "kubelet", path: "/metrics", names: kept.kubelet },
    { job: "cadvisor", path: "/metrics/cadvisor", names: kept.cadvisor },
  ].map(({ job, path, names }) => ({
    job_name: job,
    // Of a node with hundreds of containers each answer is megabytes.
    ...{ scrape_interval: "30s", scrape_timeout: "10s" },
    ...{ scheme: "https", metrics_path: path },
    authorization: { credentials_file: `${credentials}/token` },
    // Most clusters' kubelets sign their certificates themselves.
    tls_config: { insecure_skip_verify: true },
    ...eachNode,
    metric_relabel_configs: [
      {
        source_labels: ["__name__", "namespace"],
        regex: `(${names.join("|")});${namespace}`,
        action: "keep",
      },
    ],
  }));

const volume = "persistentvolumeclaim";
const [available, capacity] = kept.kubelet as [string, string];
const days = 86_400;

/** Of volumes, which their kubelets look at. */
export const volumeAlerts: Alert[] = [
  {
    name: "VolumeFills",
    // The last tenth, or at the pace of the last six hours all of it within four days.
    when: [
      `min by (${volume}) (${available} / ${capacity}) < 0.1`,
      `min by (${volume}) (${available} / ${capacity} < 0.5 and predict_linear(${available}[6h], ${4 * days}) < 0)`,
    ].join("\n  or "),
    for: "1h",
    severity: "ticket",
    summary: `Of the volume {{ $labels.${volume} }} only {{ $value | humanizePercentage }} is free, and it fills up.`,
    action: "kubectl get pvc; the key `storage` of its part, larger.",
  },
];
