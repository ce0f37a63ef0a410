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
}

/** For each alert one case in which it fires and one as near as can be in which it does not. */
export const alertCases: AlertCase[] = [
  {
    alert: "NoWorker",
    series: { 'up{job="worker",instance="a"}': "0x9", 'up{job="worker",instance="b"}': "0x9" },
    at: "5m",
    fires: {},
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
    fires: {},
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
  {
    alert: "RequestsFail",
    series: {
      'aigc_requests_total{status="success"}': "0+90x30",
      'aigc_requests_total{status="failed"}': "0+10x30",
    },
    at: "20m",
    fires: {},
  },
  {
    alert: "RequestsFail",
    series: {
      'aigc_requests_total{status="success"}': "0+98x30",
      'aigc_requests_total{status="failed"}': "0+2x30",
    },
    at: "20m",
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
