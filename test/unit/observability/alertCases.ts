/** What the metrics are, and whether an alert then tells somebody. */
export interface AlertCase {
  alert: string;
  /** Series → its values, one a minute, in promtool's notation. */
  series: Record<string, string>;
  /** The stack whose alert it is. @default prod */
  stack?: string;
  /** When it is looked, a Prometheus duration after the first value. */
  at: string;
  /** Labels of the alert that fires, besides its severity; undefined: none fires. */
  fires?: Record<string, string>;
  /** The number in its summary. */
  value?: string;
}

const gibibyte = 2 ** 30;
const work = 'aigc_work_seconds{model="stabilityai_stable-diffusion-xl-base-1.0"}';
const logsWait = 'vlagent_remotewrite_pending_data_bytes{job="log-collector",instance="a"}';

const completed = (inTime: string, all: string) => ({
  'aigc_completion_seconds_bucket{le="60.0"}': inTime,
  aigc_completion_seconds_count: all,
});

/** Gibibytes, a value a minute. @param free of them, by the hour */
const byTheHour = (free: (hours: number) => number, hours: number) =>
  Array.from({ length: 60 * hours }, (_, minute) => free(Math.floor(minute / 60)) * gibibyte).join(
    " ",
  );

/** A volume of a hundred gibibytes. @param free of them, by the hour */
const volume = (free: (hours: number) => number, hours: number) => ({
  'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="data-prometheus-0"}': `${100 * gibibyte}x${60 * hours}`,
  'kubelet_volume_stats_available_bytes{persistentvolumeclaim="data-prometheus-0"}': byTheHour(
    free,
    hours,
  ),
});

/** A node's disk of a hundred gibibytes, and one of its pods' volumes, which is full. @param free of them, by the hour */
const nodeDisk = (free: (hours: number) => number, hours: number) => {
  const own = 'device="/dev/vda1",fstype="ext4",mountpoint="/",node="a"';
  const pods = `device="/dev/vdb",fstype="ext4",mountpoint="/var/lib/kubelet/pods/1/volumes/data",node="a"`;
  return {
    [`node_filesystem_size_bytes{${own}}`]: `${100 * gibibyte}x${60 * hours}`,
    [`node_filesystem_size_bytes{${pods}}`]: `${gibibyte}x${60 * hours}`,
    [`node_filesystem_avail_bytes{${own}}`]: byTheHour(free, hours),
    [`node_filesystem_avail_bytes{${pods}}`]: `0x${60 * hours}`,
    [`node_filesystem_readonly{${own}}`]: `0x${60 * hours}`,
  };
};

/** For each alert one case in which it fires and one as near as can be in which it does not. */
export const alertCases: AlertCase[] = [
  {
    alert: "NoApi",
    series: { 'up{job="api",instance="a"}': "1 0x9", 'up{job="api",instance="b"}': "0x9" },
    at: "3m",
    fires: {},
  },
  {
    alert: "NoApi",
    series: { 'up{job="api",instance="a"}': "0x9", 'up{job="api",instance="b"}': "1x9" },
    at: "3m",
  },
  {
    alert: "TooFewPods",
    series: { 'up{job="api",instance="a"}': "1x20", 'up{job="api",instance="b"}': "1 0x20" },
    at: "15m",
    fires: { job: "api" },
    value: "1",
  },
  // A rollout.
  {
    alert: "TooFewPods",
    series: { 'up{job="api",instance="a"}': "1x20", 'up{job="api",instance="b"}': "0x8 1x12" },
    at: "15m",
  },
  {
    alert: "TooFewPods",
    series: { 'nginx_up{instance="a"}': "1x20", 'nginx_up{instance="b"}': "1 0x20" },
    at: "15m",
    fires: { job: "nginx" },
    value: "1",
  },
  {
    alert: "NoNginx",
    series: { 'nginx_up{instance="a"}': "1 0x9", 'nginx_up{instance="b"}': "0x9" },
    at: "4m",
    fires: {},
  },
  {
    alert: "NoNginx",
    series: { 'nginx_up{instance="a"}': "0x9", 'nginx_up{instance="b"}': "1x9" },
    at: "4m",
  },
  // One of two has no room.
  {
    alert: "ConnectionsDropped",
    series: {
      'nginx_connections_accepted{instance="a"}': "0+600x15",
      'nginx_connections_handled{instance="a"}': "0+480x15",
      'nginx_connections_accepted{instance="b"}': "0+600x15",
      'nginx_connections_handled{instance="b"}': "0+600x15",
    },
    at: "12m",
    fires: {},
    value: "2",
  },
  // Now and then one.
  {
    alert: "ConnectionsDropped",
    series: {
      nginx_connections_accepted: "0+600x15",
      nginx_connections_handled: "0+599x15",
    },
    at: "12m",
  },
  {
    alert: "NoWorker",
    series: { 'up{job="worker",instance="a"}': "0x9", 'up{job="worker",instance="b"}': "0x9" },
    at: "5m",
    fires: { job: "worker" },
  },
  {
    alert: "NoWorker",
    series: { 'up{job="worker",instance="a"}': "0x9", 'up{job="worker",instance="b"}': "1x9" },
    at: "5m",
  },
  // All pods gone: DNS lists no address, so no series is left.
  {
    alert: "NoWorker",
    series: { 'up{job="api"}': "1x9" },
    at: "5m",
    fires: { job: "worker" },
  },
  {
    alert: "LogStoreFull",
    stack: "alternatives",
    series: { 'vl_storage_is_read_only{job="logs"}': "1x9" },
    at: "6m",
    fires: { job: "logs" },
  },
  {
    alert: "LogStoreFull",
    stack: "alternatives",
    series: { 'vl_storage_is_read_only{job="logs"}': "0x9" },
    at: "6m",
  },
  {
    alert: "LogsWait",
    stack: "alternatives",
    series: { [logsWait]: `${200 * 2 ** 20}x20` },
    at: "16m",
    fires: { instance: "a" },
    value: "200Mi",
  },
  // The store restarts.
  {
    alert: "LogsWait",
    stack: "alternatives",
    series: { [logsWait]: `0x5 ${200 * 2 ** 20}x5 0x10` },
    at: "16m",
  },
  {
    alert: "CanaryFails",
    stack: "elastic",
    series: {
      'aigc_attempts_total{job="worker-canary",outcome="succeeded"}': "0+8x60",
      'aigc_attempts_total{job="worker-canary",outcome="generation_failed"}': "0+2x60",
      'aigc_attempts_total{job="worker",outcome="succeeded"}': "0+100x60",
      'aigc_attempts_total{job="worker",outcome="generation_failed"}': "0+10x60",
    },
    at: "50m",
    fires: { job: "worker-canary" },
    value: "20%",
  },
  // Whatever fails now fails on all workers.
  {
    alert: "CanaryFails",
    stack: "elastic",
    series: {
      'aigc_attempts_total{job="worker-canary",outcome="succeeded"}': "0+8x60",
      'aigc_attempts_total{job="worker-canary",outcome="generation_failed"}': "0+2x60",
      'aigc_attempts_total{job="worker",outcome="succeeded"}': "0+80x60",
      'aigc_attempts_total{job="worker",outcome="generation_failed"}': "0+20x60",
    },
    at: "50m",
  },
  {
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: { [work]: "30x40" },
    at: "20m",
    fires: { job: "worker" },
  },
  // Nobody asks for pictures: no worker is what there should be.
  {
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: { [work]: "0x40" },
    at: "20m",
  },
  // One has started meanwhile.
  {
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: {
      [work]: "30x40",
      'up{job="worker"}': "_x10 1x40",
    },
    at: "20m",
  },
  {
    alert: "ScalerStuck",
    stack: "elastic",
    // All that are allowed are wanted, and there is one.
    series: { [work]: "360x40", 'up{job="worker",instance="a"}': "1x40" },
    at: "30m",
    fires: { job: "worker" },
    value: "8",
  },
  // As many as are allowed.
  {
    alert: "ScalerStuck",
    stack: "elastic",
    series: {
      [work]: "9000x40",
      ...Object.fromEntries(
        "abcdefgh".split("").map((pod) => [`up{job="worker",instance="${pod}"}`, "1x40"]),
      ),
    },
    at: "30m",
  },
  {
    alert: "QueueWaits",
    series: { 'aigc_queue_oldest_age_seconds{model="m",instance="a"}': "300+60x20" },
    at: "10m",
    fires: { model: "m" },
    value: "15m 0s",
  },
  {
    alert: "QueueWaits",
    series: { 'aigc_queue_oldest_age_seconds{model="m"}': "299x20" },
    at: "10m",
  },
  {
    alert: "QueueGrows",
    series: { aigc_queue_size: "100+20x40", aigc_queue_limit: "1000x40" },
    at: "30m",
    fires: {},
    value: "1.3k",
  },
  // So many come and go.
  {
    alert: "QueueGrows",
    series: { aigc_queue_size: "500x40", aigc_queue_limit: "1000x40" },
    at: "30m",
  },
  ...[
    { alert: "RequestsShed", reason: "queue-full", size: "1000x20", fires: {}, value: "2" },
    // Workers are back.
    { alert: "RequestsShed", reason: "queue-full", size: "1000x10 800x10" },
    // A client that asks too often is sent away by right.
    { alert: "RequestsShed", reason: "rate-limited", size: "1000x20" },
  ].map(({ reason, size, ...rest }) => ({
    ...rest,
    series: {
      [`aigc_requests_refused_total{reason="${reason}"}`]: "0+120x20",
      aigc_queue_size: size,
      aigc_queue_limit: "1000x20",
    },
    at: "15m",
  })),
  {
    alert: "DeadTasks",
    series: { aigc_dead_tasks: "4x30 7x60" },
    at: "70m",
    fires: {},
    value: "3",
  },
  // Those of the day before, which nobody has queued again.
  { alert: "DeadTasks", series: { aigc_dead_tasks: "4x90" }, at: "70m" },
  ...[
    { alert: "AttemptsFail", failed: 20, fires: {}, value: "20%" },
    { alert: "AttemptsFail", failed: 9 },
  ].map(({ failed, ...rest }) => ({
    ...rest,
    series: {
      'aigc_attempts_total{outcome="succeeded"}': `0+${100 - failed}x60`,
      'aigc_attempts_total{outcome="worker_lost"}': `0+${failed}x60`,
    },
    at: "45m",
  })),
  // What a client asks for in vain is no fault of ours.
  {
    alert: "AttemptsFail",
    series: {
      'aigc_attempts_total{outcome="succeeded"}': "0+1x60",
      'aigc_attempts_total{outcome="taken_away"}': "0+9x60",
    },
    at: "45m",
  },
  ...[
    {
      alert: "WorkerStartsSlowly",
      weights: 200,
      fires: { job: "worker", instance: "a" },
      value: "3m 25s",
    },
    { alert: "WorkerStartsSlowly", weights: 60 },
  ].map(({ weights, ...rest }) => ({
    ...rest,
    series: {
      'aigc_worker_start_seconds{job="worker",instance="a",phase="imports"}': "5x9",
      'aigc_worker_start_seconds{job="worker",instance="a",phase="weights"}': `${weights}x9`,
      // Beside the pictures that it draws already.
      'aigc_worker_start_seconds{job="worker",instance="a",phase="compile"}': "600x9",
    },
    at: "5m",
  })),
  ...[
    { alert: "RequestsSlow", route: "/api/tasks", fires: { route: "/api/tasks" }, value: "2.425s" },
    // It waits for a picture.
    { alert: "RequestsSlow", route: "/api/generate" },
  ].map(({ route, ...rest }) => ({
    ...rest,
    series: {
      [`aigc_http_request_seconds_bucket{route="${route}",le="1"}`]: "0x40",
      [`aigc_http_request_seconds_bucket{route="${route}",le="2.5"}`]: "0+60x40",
      [`aigc_http_request_seconds_bucket{route="${route}",le="+Inf"}`]: "0+60x40",
    },
    at: "30m",
  })),
  ...[
    // 20 % of them, which would use up a month's errors within two days.
    { alert: "RequestsFail", failed: 20, at: "10m", fires: {}, value: "20%" },
    { alert: "RequestsFail", failed: 5, at: "20m" },
    { alert: "RequestsFailSlowly", failed: 5, at: "2h", fires: {}, value: "5%" },
    { alert: "RequestsFailSlowly", failed: 0.9, at: "3h" },
  ].map(({ failed, ...rest }) => ({
    ...rest,
    series: {
      'aigc_requests_total{status="success"}': `0+${100 - failed}x200`,
      'aigc_requests_total{status="failed"}': `0+${failed}x200`,
    },
  })),
  // It has ended: the last half hour is good.
  {
    alert: "RequestsFail",
    series: {
      'aigc_requests_total{status="success"}': "0+50x30 1550+100x40",
      'aigc_requests_total{status="failed"}': "0+50x30 1500x40",
    },
    at: "63m",
  },
  // Nobody asks for pictures.
  {
    alert: "RequestsFail",
    series: {
      'aigc_requests_total{status="success"}': "5x30",
      'aigc_requests_total{status="failed"}': "5x30",
    },
    at: "20m",
  },
  // Of 5 % that may be late: 80 % is gone within two days, 20 % within nine, 4 % never.
  ...[
    { alert: "PicturesLate", late: 80, at: "10m", fires: {}, value: "80%" },
    { alert: "PicturesLate", late: 20, at: "20m" },
    { alert: "PicturesLateForDays", late: 20, at: "2h", fires: {}, value: "20%" },
    { alert: "PicturesLateForDays", late: 4, at: "3h" },
  ].map(({ late, ...rest }) => ({
    ...rest,
    series: completed(`0+${100 - late}x200`, "0+100x200"),
  })),
  // The third of three tasks in an hour.
  { alert: "PicturesLate", series: completed("0x10 2x190", "0x10 2x20 3x170"), at: "40m" },
  {
    alert: "WorkerNotCompiled",
    series: {
      'aigc_worker_compiled{instance="a",size="512x512"}': "1x60",
      'aigc_worker_compiled{instance="a",size="1024x1024"}': "0x60",
      'aigc_worker_compiled{instance="b",size="1024x1024"}': "0 0 1x60",
    },
    at: "35m",
    fires: { instance: "a" },
  },
  {
    alert: "WorkerNotCompiled",
    series: { 'aigc_worker_compiled{instance="a",size="1024x1024"}': "0x20 1x40" },
    at: "35m",
  },
  {
    alert: "DatabaseDown",
    series: { 'aigc_store_up{store="postgres",instance="a"}': "1 0x9" },
    at: "5m",
    fires: {},
  },
  // One pod that can't reach it is no outage of the database.
  {
    alert: "DatabaseDown",
    series: {
      'aigc_store_up{store="postgres",instance="a"}': "0x9",
      'aigc_store_up{store="postgres",instance="b"}': "1x9",
    },
    at: "5m",
  },
  {
    alert: "ArchiveFails",
    series: { 'aigc_archive_fails{instance="a"}': "0 1x9" },
    at: "7m",
    fires: {},
  },
  // A bucket that was away for some minutes.
  { alert: "ArchiveFails", series: { aigc_archive_fails: "0 1 1 1 1 0x9" }, at: "7m" },
  {
    alert: "PictureDamaged",
    series: { aigc_damaged_pictures: "3x9" },
    at: "6m",
    fires: {},
    value: "3",
  },
  { alert: "PictureDamaged", series: { aigc_damaged_pictures: "0x9" }, at: "6m" },
  {
    alert: "ScrubOld",
    series: { aigc_scrub_last_success_timestamp_seconds: "60x4500" },
    at: "73h",
    fires: {},
    value: "3d 0h 59m 0s",
  },
  {
    alert: "ScrubOld",
    series: { aigc_scrub_last_success_timestamp_seconds: "60x4500" },
    at: "72h",
  },
  {
    alert: "ScrubMissing",
    series: { aigc_scrub_last_success_timestamp_seconds: "0x4500" },
    at: "73h",
    fires: {},
  },
  {
    alert: "ScrubMissing",
    series: { aigc_scrub_last_success_timestamp_seconds: "0x4500" },
    at: "71h",
  },
  {
    alert: "RestoreDrillFailed",
    series: { aigc_restore_drill_failed: "1x9" },
    at: "6m",
    fires: {},
  },
  { alert: "RestoreDrillFailed", series: { aigc_restore_drill_failed: "0x9" }, at: "6m" },
  {
    alert: "RestoreDrillOld",
    series: { aigc_restore_drill_last_success_timestamp_seconds: "60x11700" },
    at: "194h",
    fires: {},
    value: "8d 1h 59m 0s",
  },
  {
    alert: "RestoreDrillOld",
    series: { aigc_restore_drill_last_success_timestamp_seconds: "60x11700" },
    at: "192h",
  },
  {
    alert: "RestoreDrillMissing",
    series: { aigc_restore_drill_last_success_timestamp_seconds: "0x11700" },
    at: "193h",
    fires: {},
  },
  {
    alert: "RestoreDrillMissing",
    series: { aigc_restore_drill_last_success_timestamp_seconds: "0x11700" },
    at: "191h",
  },
  {
    alert: "RestoreDrillLate",
    series: { aigc_restore_drill_lost_seconds: "61x9", aigc_restore_drill_restore_seconds: "20x9" },
    at: "6m",
    fires: {},
    value: "1m 1s",
  },
  {
    alert: "RestoreDrillLate",
    series: {
      aigc_restore_drill_lost_seconds: "60x9",
      aigc_restore_drill_restore_seconds: "300x9",
    },
    at: "6m",
  },
  { alert: "RedisDown", series: { 'aigc_store_up{store="redis"}': "1 0x9" }, at: "5m", fires: {} },
  { alert: "RedisDown", series: { 'aigc_store_up{store="redis"}': "1x9" }, at: "5m" },
  ...[
    { alert: "RedisMemoryFills", limit: 1000, fires: {}, value: "90%" },
    { alert: "RedisMemoryFills", limit: 2000 },
    // It has none.
    { alert: "RedisMemoryFills", limit: 0 },
  ].map(({ limit, ...rest }) => ({
    ...rest,
    series: { aigc_redis_memory_bytes: "900x20", aigc_redis_memory_limit_bytes: `${limit}x20` },
    at: "15m",
  })),
  {
    alert: "RedisPersistenceFails",
    series: { aigc_redis_persistence_fails: "0 1x9" },
    at: "8m",
    fires: {},
  },
  {
    alert: "RedisPersistenceFails",
    series: { aigc_redis_persistence_fails: "1 1 1 0x9" },
    at: "8m",
  },
  ...[
    { alert: "DatabaseConnectionsUsedUp", used: 90, fires: {}, value: "90%" },
    { alert: "DatabaseConnectionsUsedUp", used: 79 },
  ].map(({ used, ...rest }) => ({
    ...rest,
    series: {
      aigc_database_connections: `${used}x20`,
      aigc_database_connections_limit: "100x20",
    },
    at: "15m",
  })),
  {
    alert: "DatabaseTransactionLong",
    series: { aigc_database_oldest_transaction_seconds: "0+60x40" },
    at: "20m",
    fires: {},
    value: "20m 0s",
  },
  {
    alert: "DatabaseTransactionLong",
    series: { aigc_database_oldest_transaction_seconds: "300x40" },
    at: "20m",
  },
  // 20 GiB: 3 GiB, and 1 more each six hours.
  {
    alert: "DatabaseVolumeFills",
    series: { aigc_database_bytes: `${3 * gibibyte}+${gibibyte / 360}x1500` },
    at: "24h",
    fires: {},
    value: "23Gi",
  },
  {
    alert: "DatabaseVolumeFills",
    series: { aigc_database_bytes: `${3 * gibibyte}x1500` },
    at: "24h",
  },
  // Time begins at 0: these backups ended a minute after it.
  {
    alert: "DatabaseBloat",
    series: {
      'pg_stat_user_tables_n_dead_tup{relname="tasks"}': "60000x180",
      'pg_stat_user_tables_n_live_tup{relname="tasks"}': "40000x180",
    },
    at: "130m",
    fires: { relname: "tasks" },
    value: "60%",
  },
  // A small table that is written all the time, and a large one that autovacuum is about to reach.
  {
    alert: "DatabaseBloat",
    series: {
      'pg_stat_user_tables_n_dead_tup{relname="outbox"}': "5000x180",
      'pg_stat_user_tables_n_live_tup{relname="outbox"}': "100x180",
      'pg_stat_user_tables_n_dead_tup{relname="tasks"}': "20000x180",
      'pg_stat_user_tables_n_live_tup{relname="tasks"}': "80000x180",
    },
    at: "130m",
  },
  {
    alert: "RedisReplicaGone",
    stack: "alternatives",
    series: { redis_connected_slaves: "1 0x40" },
    at: "35m",
    fires: {},
    value: "0",
  },
  // It fails over.
  {
    alert: "RedisReplicaGone",
    stack: "alternatives",
    series: { redis_connected_slaves: "1 0x20 1x20" },
    at: "35m",
  },
  {
    alert: "ExporterBlind",
    series: { pg_up: "1 0x20" },
    at: "18m",
    fires: { job: "postgres-exporter" },
  },
  {
    alert: "ExporterBlind",
    series: { pg_up: "0x10 1x10", redis_up: "1x20" },
    at: "18m",
  },
  {
    alert: "BackupOld",
    series: { aigc_backup_last_success_timestamp_seconds: "60x1700" },
    at: "27h",
    fires: {},
    value: "1d 2h 59m 0s",
  },
  {
    alert: "BackupOld",
    series: { aigc_backup_last_success_timestamp_seconds: "60x1700" },
    at: "26h",
  },
  {
    alert: "BackupMissing",
    series: { aigc_backup_last_success_timestamp_seconds: "0x1700" },
    at: "27h",
    fires: {},
  },
  {
    alert: "BackupMissing",
    series: { aigc_backup_last_success_timestamp_seconds: "0x1700" },
    at: "25h",
  },
  {
    alert: "TargetDown",
    series: { 'up{job="api",instance="10.0.0.1:9090"}': "1 0x9" },
    at: "8m",
    fires: { job: "api", instance: "10.0.0.1:9090" },
  },
  // A pod that is replaced.
  {
    alert: "TargetDown",
    series: { 'up{job="api",instance="10.0.0.1:9090"}': "1 0 0 0 1 1 1 1 1" },
    at: "8m",
  },
  {
    alert: "CrashLoop",
    series: { 'process_start_time_seconds{job="worker",instance="a"}': "0 0 60 60 120 120 180x40" },
    at: "20m",
    fires: { job: "worker", instance: "a" },
    value: "3",
  },
  // Two releases.
  {
    alert: "CrashLoop",
    series: { 'process_start_time_seconds{job="worker",instance="a"}': "0 0 60 60 120x40" },
    at: "20m",
  },
  // It is looked at two hours after 1970.
  ...[
    { alert: "CertificateAges", days: 20, fires: {}, value: "20d 0h 0m 0s" },
    { alert: "CertificateAges", days: 22 },
    { alert: "CertificateEnds", days: 2, fires: {}, value: "2d 0h 0m 0s" },
    { alert: "CertificateEnds", days: 4 },
  ].map(({ days, ...rest }) => ({
    ...rest,
    stack: "alternatives",
    at: "2h",
    series: {
      'aigc_certificate_expiry_timestamp_seconds{instance="a"}': `${days * 86_400 + 7_200}x200`,
      // It has not looked yet.
      'aigc_certificate_expiry_timestamp_seconds{instance="b"}': "0x200",
    },
  })),
  // It loses a gibibyte an hour of its last twenty.
  {
    alert: "VolumeFills",
    series: volume((hours) => 30 - hours, 10),
    at: "9h",
    fires: { persistentvolumeclaim: "data-prometheus-0" },
    value: "21%",
  },
  {
    alert: "VolumeFills",
    series: volume(() => 5, 10),
    at: "9h",
    fires: { persistentvolumeclaim: "data-prometheus-0" },
    value: "5%",
  },
  // It is nearly full, and stays so; another is emptied each hour.
  { alert: "VolumeFills", series: volume(() => 11, 10), at: "9h" },
  { alert: "VolumeFills", series: volume((hours) => 40 - 10 * (hours % 2), 10), at: "9h" },
  {
    alert: "RulesFail",
    series: { 'prometheus_rule_evaluation_failures_total{rule_group="g"}': "0+1x40" },
    at: "20m",
    fires: {},
    value: "15",
  },
  {
    alert: "RulesFail",
    series: { 'prometheus_rule_evaluation_failures_total{rule_group="g"}': "3x40" },
    at: "20m",
  },
  {
    alert: "AlertsNotDelivered",
    series: {
      'alertmanager_notifications_failed_total{integration="slack",reason="other"}': "0+6x40",
    },
    at: "30m",
    fires: { integration: "slack" },
    value: "100m",
  },
  {
    alert: "AlertsNotDelivered",
    series: {
      'alertmanager_notifications_failed_total{integration="slack",reason="other"}': "6x40",
    },
    at: "30m",
  },
  { alert: "Watchdog", series: {}, at: "0m", fires: {} },
  ...[
    { alert: "TunnelDown", connections: "4 0x9", fires: {} },
    { alert: "TunnelDown", connections: "4 4 0 0 4x9" },
  ].map(({ connections, ...rest }) => ({
    ...rest,
    series: { 'cloudflared_tunnel_ha_connections{instance="a"}': connections },
    at: "5m",
  })),
  {
    alert: "NodeDiskFills",
    stack: "elastic",
    series: nodeDisk(() => 8, 3),
    at: "2h",
    fires: { node: "a", device: "/dev/vda1" },
    value: "8%",
  },
  // Within a day.
  {
    alert: "NodeDiskFills",
    stack: "elastic",
    series: nodeDisk((hours) => 62 - 3 * hours, 11),
    at: "10h",
    fires: { node: "a", device: "/dev/vda1" },
    value: "32%",
  },
  // An image was fetched, and the rest is as its kubelet keeps it.
  { alert: "NodeDiskFills", stack: "elastic", series: nodeDisk(() => 16, 9), at: "8h" },
  {
    alert: "NodeMemoryShort",
    stack: "elastic",
    series: {
      'node_memory_MemAvailable_bytes{node="a"}': `${gibibyte}x20`,
      'node_memory_MemTotal_bytes{node="a"}': `${32 * gibibyte}x20`,
    },
    at: "15m",
    fires: { node: "a" },
    value: "3.125%",
  },
  {
    alert: "NodeMemoryShort",
    stack: "elastic",
    series: {
      'node_memory_MemAvailable_bytes{node="a"}': `${gibibyte}x5 ${4 * gibibyte}x15`,
      'node_memory_MemTotal_bytes{node="a"}': `${32 * gibibyte}x20`,
    },
    at: "15m",
  },
  {
    alert: "NodeClockUnsynchronised",
    stack: "elastic",
    series: {
      'node_timex_sync_status{node="a"}': "0x20",
      'node_timex_maxerror_seconds{node="a"}': "16x20",
    },
    at: "15m",
    fires: { node: "a" },
  },
  // It has just started, and is not yet off.
  {
    alert: "NodeClockUnsynchronised",
    stack: "elastic",
    series: {
      'node_timex_sync_status{node="a"}': "0x20",
      'node_timex_maxerror_seconds{node="a"}': "1+0.03x20",
    },
    at: "15m",
  },
];
