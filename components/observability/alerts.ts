/** A rule of Prometheus that tells somebody. */
export interface Alert {
  name: string;
  /** PromQL; each series of its result is one alert. */
  when: string;
  /** How long that has to be so, a Prometheus duration. */
  for: string;
  /** Who is told: `page` wakes somebody, `ticket` waits for the morning. */
  severity: "page" | "ticket";
  /** One sentence, with `{{ $labels.NAME }}` for a label of the series. */
  summary: string;
  /** Where to look first. */
  action: string;
}

const hours = 3_600;
/** A day between two backups, and two hours for one. */
const backupAge = 26 * hours;

export const alerts: Alert[] = [
  {
    name: "NoWorker",
    when: 'sum(up{job="worker"}) == 0 or absent(up{job="worker"})',
    for: "2m",
    severity: "page",
    summary: "No worker draws; accepted pictures wait.",
    action: "kubectl describe pods -l app=aigc-worker: are there GPUs, do pods start?",
  },
  {
    name: "QueueWaits",
    when: "max(aigc_queue_oldest_age_seconds) > 300",
    for: "5m",
    severity: "page",
    summary: "The oldest picture of the queue has waited for more than 5 minutes.",
    action: "Raise workers.replicas if all workers draw; look at their logs if they don't.",
  },
  {
    name: "RequestsFail",
    when: `sum(rate(aigc_requests_total{status="failed"}[10m]))
  / sum(rate(aigc_requests_total[10m])) > 0.05`,
    for: "5m",
    severity: "page",
    summary: "More than 5 % of the requests for pictures fail.",
    action: "kubectl logs -l app=aigc-worker and -l app=api name the errors.",
  },
  {
    name: "DatabaseDown",
    when: 'max(aigc_store_up{store="postgres"}) == 0',
    for: "1m",
    severity: "page",
    summary: "PostgreSQL does not answer; no task is accepted.",
    action: "kubectl describe pod postgres-0, or the instance in the RDS console.",
  },
  {
    name: "RedisDown",
    when: 'max(aigc_store_up{store="redis"}) == 0',
    for: "1m",
    severity: "page",
    summary: "Redis does not answer; accepted tasks wait until it does.",
    action: "kubectl describe pod redis-0, or the cluster in the ElastiCache console.",
  },
  {
    name: "BackupOld",
    when: `time() - max(aigc_backup_last_success_timestamp_seconds > 0) > ${backupAge}`,
    for: "10m",
    severity: "page",
    summary: "The newest backup is older than 26 hours.",
    action: "kubectl get jobs -l app=backup, and the log of the last one.",
  },
  {
    name: "BackupMissing",
    when: "max(aigc_backup_last_success_timestamp_seconds) == 0",
    for: "26h",
    severity: "page",
    summary: "There has never been a backup.",
    action: "kubectl create job --from=cronjob/backup backup-now, and read its log.",
  },
  {
    name: "TargetDown",
    when: "up == 0",
    for: "5m",
    severity: "ticket",
    summary: "{{ $labels.job }} on {{ $labels.instance }} gives no metrics.",
    action: "kubectl get pods -o wide, and the log of the pod with that address.",
  },
];

/** Rules for Prometheus, which reads JSON as the YAML that it also is. */
export function renderAlertRules(): string {
  const rules = alerts.map(({ name, when, severity, summary, action, ...alert }) => ({
    alert: name,
    expr: when,
    for: alert.for,
    labels: { severity },
    annotations: { summary, action },
  }));
  return `${JSON.stringify({ groups: [{ name: "image-service", rules }] }, null, 2)}\n`;
}
