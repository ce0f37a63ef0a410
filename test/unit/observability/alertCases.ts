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

/** For each alert one case in which it fires and one as near as can be in which it does not. */
export const alertCases: AlertCase[] = [
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
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: { 'aigc_work_seconds{model="stabilityai_stable-diffusion-xl-base-1.0"}': "30x40" },
    at: "20m",
    fires: { job: "worker" },
  },
  // Nobody asks for pictures: no worker is what there should be.
  {
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: { 'aigc_work_seconds{model="stabilityai_stable-diffusion-xl-base-1.0"}': "0x40" },
    at: "20m",
  },
  // One has started meanwhile.
  {
    alert: "NoWorkerStarts",
    stack: "elastic",
    series: {
      'aigc_work_seconds{model="stabilityai_stable-diffusion-xl-base-1.0"}': "30x40",
      'up{job="worker"}': "_x10 1x40",
    },
    at: "20m",
  },
  {
    alert: "QueueWaits",
    series: { aigc_queue_oldest_age_seconds: "300+60x20" },
    at: "10m",
    fires: {},
  },
  { alert: "QueueWaits", series: { aigc_queue_oldest_age_seconds: "299x20" }, at: "10m" },
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
  // Time begins at 0: these backups ended a minute after it.
  {
    alert: "BackupOld",
    series: { aigc_backup_last_success_timestamp_seconds: "60x1700" },
    at: "27h",
    fires: {},
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
];
