/** A graph: what it asks of Prometheus, by the legend of each query. */
export interface Panel {
  title: string;
  /** Grafana's name of it. https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit: "short" | "reqps" | "s" | "bytes" | "percentunit" | "bool";
  /** PromQL by legend, where `{{label}}` is a label's value. */
  queries: Record<string, string>;
}

export interface Dashboard {
  /** Of its ConfigMap, and its address in Grafana. */
  name: string;
  title: string;
  panels: Panel[];
}

const quantiles = (metric: string) =>
  Object.fromEntries(
    [0.5, 0.95, 0.99].map((quantile) => [
      `${quantile * 100} %`,
      `histogram_quantile(${quantile}, sum by (le) (rate(${metric}_bucket[5m])))`,
    ]),
  );

const service: Dashboard = {
  name: "service",
  title: "Image service: requests",
  panels: [
    {
      title: "Requests for pictures that fail",
      unit: "percentunit",
      queries: {
        failed:
          'sum(rate(aigc_requests_total{status="failed"}[5m])) / sum(rate(aigc_requests_total[5m]))',
      },
    },
    {
      title: "Requests, by class of the answer",
      unit: "reqps",
      queries: { "{{status}}": "sum by (status) (rate(aigc_http_requests_total[5m]))" },
    },
    {
      title: "Requests, by route",
      unit: "reqps",
      queries: { "{{route}}": "sum by (route) (rate(aigc_http_requests_total[5m]))" },
    },
    {
      title: "Time to the answer, by route, of 95 %",
      unit: "s",
      queries: {
        "{{route}}":
          "histogram_quantile(0.95, sum by (le, route) (rate(aigc_http_request_seconds_bucket[5m])))",
      },
    },
    {
      title: "Requests sent away, by reason",
      unit: "reqps",
      queries: { "{{reason}}": "sum by (reason) (rate(aigc_requests_refused_total[5m]))" },
    },
    // Of nginx' exporter, with monitoring.ownExporters.
    {
      title: "Connections at nginx",
      unit: "short",
      queries: Object.fromEntries(
        ["active", "reading", "writing", "waiting"].map((state) => [
          state,
          `sum(nginx_connections_${state})`,
        ]),
      ),
    },
    {
      title: "New connections at nginx",
      unit: "reqps",
      queries: {
        accepted: "sum(rate(nginx_connections_accepted[5m]))",
        dropped:
          "sum(rate(nginx_connections_accepted[5m])) - sum(rate(nginx_connections_handled[5m]))",
      },
    },
    {
      title: "Pods that give metrics",
      unit: "short",
      queries: { "{{job}}": "sum by (job) (up)" },
    },
  ],
};

const workers: Dashboard = {
  name: "workers",
  title: "Image service: queue and workers",
  panels: [
    {
      title: "Tasks, by model and status",
      unit: "short",
      queries: {
        "{{model}} {{status}}": "max by (model, status) (aigc_tasks)",
        limit: "max(aigc_queue_limit)",
      },
    },
    {
      title: "Wait of the oldest task",
      unit: "s",
      queries: { "{{model}}": "max by (model) (aigc_queue_oldest_age_seconds)" },
    },
    {
      title: "Work that waits and is being drawn",
      unit: "s",
      queries: { "{{model}}": "max by (model) (aigc_work_seconds)" },
    },
    {
      title: "From acceptance to a worker",
      unit: "s",
      queries: quantiles("aigc_pickup_seconds"),
    },
    {
      title: "From acceptance to the last picture",
      unit: "s",
      queries: quantiles("aigc_completion_seconds"),
    },
    {
      title: "Time of a task at its worker",
      unit: "s",
      queries: quantiles("aigc_generation_seconds"),
    },
    { title: "Time of a step", unit: "s", queries: quantiles("aigc_step_seconds") },
    {
      title: "Attempts, by their end",
      unit: "reqps",
      queries: { "{{outcome}}": "sum by (outcome) (rate(aigc_attempts_total[5m]))" },
    },
    {
      title: "Workers",
      unit: "short",
      queries: { "{{job}}": 'sum by (job) (up{job=~"worker.*"})' },
    },
    {
      title: "Time of a start, by phase",
      unit: "s",
      queries: { "{{phase}}": "max by (phase) (aigc_worker_start_seconds)" },
    },
    {
      title: "GPU memory",
      unit: "bytes",
      queries: { "{{instance}} {{gpu_id}}": "aigc_gpu_memory_used_bytes" },
    },
    {
      title: "Sizes drawn compiled",
      unit: "bool",
      queries: { "{{instance}} {{size}}": "aigc_worker_compiled" },
    },
    {
      title: "Tasks that used up their attempts",
      unit: "short",
      queries: { dead: "max(aigc_dead_tasks)" },
    },
  ],
};

const stores: Dashboard = {
  name: "stores",
  title: "Image service: stores",
  panels: [
    {
      title: "Stores that answer",
      unit: "bool",
      queries: { "{{store}}": "max by (store) (aigc_store_up)" },
    },
    {
      title: "Connections to PostgreSQL",
      unit: "short",
      queries: {
        open: "max(aigc_database_connections)",
        limit: "max(aigc_database_connections_limit)",
      },
    },
    {
      title: "Oldest transaction",
      unit: "s",
      queries: { open: "max(aigc_database_oldest_transaction_seconds)" },
    },
    { title: "Size of the database", unit: "bytes", queries: { size: "max(aigc_database_bytes)" } },
    {
      title: "Memory of Redis",
      unit: "bytes",
      queries: {
        used: "max(aigc_redis_memory_bytes)",
        limit: "max(aigc_redis_memory_limit_bytes)",
      },
    },
    {
      title: "Redis can't write to its volume",
      unit: "bool",
      queries: { fails: "max(aigc_redis_persistence_fails)" },
    },
    // Of the exporters, with monitoring.ownExporters.
    {
      title: "Dead rows, by table",
      unit: "short",
      queries: { "{{relname}}": "max by (relname) (pg_stat_user_tables_n_dead_tup)" },
    },
    {
      title: "Pages that PostgreSQL found in its memory",
      unit: "percentunit",
      queries: {
        found:
          "sum(rate(pg_stat_database_blks_hit[5m])) / (sum(rate(pg_stat_database_blks_hit[5m])) + sum(rate(pg_stat_database_blks_read[5m])))",
      },
    },
    {
      title: "Transactions of PostgreSQL",
      unit: "reqps",
      queries: {
        committed: "sum(rate(pg_stat_database_xact_commit[5m]))",
        "rolled back": "sum(rate(pg_stat_database_xact_rollback[5m]))",
      },
    },
    {
      title: "Commands of Redis",
      unit: "reqps",
      queries: { "{{cmd}}": "topk(8, sum by (cmd) (rate(redis_commands_total[5m])))" },
    },
    {
      title: "Clients of Redis",
      unit: "short",
      queries: { connected: "max(redis_connected_clients)" },
    },
    {
      title: "Pictures stored",
      unit: "reqps",
      queries: { "{{format}}": "sum by (format) (rate(aigc_pictures_stored_total[5m]))" },
    },
    {
      title: "Bytes of pictures stored, in an hour",
      unit: "bytes",
      queries: { "{{format}}": "sum by (format) (increase(aigc_pictures_stored_bytes_total[1h]))" },
    },
  ],
};

const backups: Dashboard = {
  name: "backups",
  title: "Image service: backups",
  panels: [
    {
      title: "Age of the newest backup",
      unit: "s",
      queries: { age: "time() - max(aigc_backup_last_success_timestamp_seconds > 0)" },
    },
    {
      title: "The archive takes nothing",
      unit: "bool",
      queries: { fails: "max(aigc_archive_fails)" },
    },
    {
      title: "Time since the last good drill",
      unit: "s",
      queries: { age: "time() - max(aigc_restore_drill_last_success_timestamp_seconds > 0)" },
    },
    {
      title: "The newest drill failed",
      unit: "bool",
      queries: { failed: "max(aigc_restore_drill_failed)" },
    },
    {
      title: "Of the last good drill",
      unit: "s",
      queries: {
        "would be lost": "max(aigc_restore_drill_lost_seconds)",
        "took to restore": "max(aigc_restore_drill_restore_seconds)",
      },
    },
  ],
};

const hour = 3600;
const cost: Dashboard = {
  name: "cost",
  title: "Image service: cost",
  panels: [
    {
      title: "Cost of an hour, by what workers do, in the currency of workers.gpuPrice",
      unit: "short",
      queries: { "{{doing}}": `sum by (doing) (rate(aigc_cost_total[5m])) * ${hour}` },
    },
    {
      title: "Cost of a picture, idle time included",
      unit: "short",
      queries: {
        "the last hour":
          "sum(increase(aigc_cost_total[1h])) / sum(increase(aigc_pictures_stored_total[1h]))",
      },
    },
    {
      title: "Cost of 24 hours",
      unit: "short",
      queries: { all: "sum(increase(aigc_cost_total[24h]))" },
    },
    {
      title: "Time of workers that nobody used",
      unit: "percentunit",
      queries: {
        idle: 'sum(rate(aigc_worker_seconds_total{doing="idle"}[5m])) / sum(rate(aigc_worker_seconds_total[5m]))',
        starting:
          'sum(rate(aigc_worker_seconds_total{doing="starting"}[5m])) / sum(rate(aigc_worker_seconds_total[5m]))',
      },
    },
  ],
};

/** With monitoring.kubelets. */
const pods: Dashboard = {
  name: "pods",
  title: "Image service: pods",
  panels: [
    {
      title: "Memory",
      unit: "bytes",
      queries: { "{{pod}}": 'sum by (pod) (container_memory_working_set_bytes{container!=""})' },
    },
    {
      title: "Processors",
      unit: "short",
      queries: {
        "{{pod}}": 'sum by (pod) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))',
      },
    },
    {
      title: "Killed for lack of memory, in an hour",
      unit: "short",
      queries: {
        "{{pod}}": 'sum by (pod) (increase(container_oom_events_total{container!=""}[1h]))',
      },
    },
    {
      title: "Free of each volume",
      unit: "percentunit",
      queries: {
        "{{persistentvolumeclaim}}":
          "min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)",
      },
    },
  ],
};

export const dashboards: Dashboard[] = [service, workers, stores, backups, cost, pods];
