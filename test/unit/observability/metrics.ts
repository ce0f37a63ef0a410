import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../../local/paths";

/** Of docs/reference/metrics.md, which docker/service/tests/test_metrics.py holds against the service. */
const rows = [
  ...readFileSync(join(repository, "docs/reference/metrics.md"), "utf8").matchAll(
    /^\| `(\w+)` \| (counter|gauge|histogram) \|/gm,
  ),
];

/** Names of the series that the service's metrics become. */
const own = rows.flatMap(([, name = "", type]) =>
  type === "histogram" ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`) : [name],
);

/** What others have, which test/vendors finds in their own programs. */
export const others = {
  /** https://prometheus.io/docs/concepts/jobs_instances/, of every target */
  scrape: ["up"],
  /** Of the client libraries of Python and Go. */
  process: ["process_start_time_seconds"],
  prometheus: ["prometheus_rule_evaluation_failures_total"],
  alertmanager: ["alertmanager_notifications_failed_total"],
  logs: ["vl_storage_is_read_only", "vlagent_remotewrite_pending_data_bytes"],
  kubelet: ["kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"],
  cadvisor: [
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_oom_events_total",
  ],
  nginxExporter: [
    "nginx_up",
    "nginx_connections_accepted",
    "nginx_connections_handled",
    "nginx_connections_active",
    "nginx_connections_reading",
    "nginx_connections_writing",
    "nginx_connections_waiting",
  ],
  nodeExporter: [
    "node_filesystem_avail_bytes",
    "node_filesystem_readonly",
    "node_filesystem_size_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_timex_maxerror_seconds",
    "node_timex_sync_status",
  ],
  postgresExporter: [
    "pg_up",
    "pg_stat_user_tables_n_dead_tup",
    "pg_stat_user_tables_n_live_tup",
    "pg_stat_database_blks_hit",
    "pg_stat_database_blks_read",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
  ],
  redisExporter: [
    "redis_up",
    "redis_commands_total",
    "redis_connected_clients",
    "redis_connected_slaves",
  ],
  cloudflared: ["cloudflared_tunnel_ha_connections"],
};

export const metricNames = new Set([...own, ...Object.values(others).flat()]);

const words = new Set(["and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"]);

/** Metrics in a PromQL expression: every name that is no function, label or word of the language. */
export function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ")
    .replace(/\boffset\s+\w+/g, " ");
  return [...bare.matchAll(/\b([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !words.has(name));
}
