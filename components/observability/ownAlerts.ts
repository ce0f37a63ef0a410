import type { Alert } from "./alerts";

/** Of whatever is scraped. */
export const targetAlerts: Alert[] = [
  {
    name: "TargetDown",
    when: "up == 0",
    for: "5m",
    severity: "ticket",
    summary: "{{ $labels.job }} on {{ $labels.instance }} gives no metrics.",
    action: "kubectl get pods -o wide, and the log of the pod with that address.",
  },
  {
    name: "CrashLoop",
    // A container that starts again keeps its pod's address.
    when: "changes(process_start_time_seconds[30m]) > 2",
    for: "1m",
    severity: "ticket",
    summary:
      "{{ $labels.job }} on {{ $labels.instance }} has started {{ $value }} times in half an hour.",
    action: "kubectl get pods -o wide, and kubectl logs --previous of the pod with that address.",
  },
];

/** Of the watch itself. */
export const ownAlerts: Alert[] = [
  {
    name: "RulesFail",
    // https://github.com/prometheus/prometheus/blob/main/rules/group.go
    when: "sum(increase(prometheus_rule_evaluation_failures_total[15m])) > 0",
    for: "1m",
    severity: "ticket",
    summary:
      "Prometheus could not evaluate its alerts, {{ $value | humanize }} times in 15 minutes.",
    action: "kubectl logs -l app=prometheus names the rule.",
  },
];

/** Of the way from Prometheus to people. */
export const deliveryAlerts: Alert[] = [
  {
    name: "AlertsNotDelivered",
    // https://github.com/prometheus/alertmanager/blob/main/notify/notify.go
    when: "sum by (integration) (rate(alertmanager_notifications_failed_total[15m])) > 0",
    for: "5m",
    severity: "page",
    summary:
      "{{ $labels.integration }} takes no alerts: {{ $value | humanize }} a second fail. Other receivers tell you this.",
    action: "kubectl logs -l app=alertmanager says why.",
  },
  {
    // Always there: whoever expects it, outside the cluster, tells somebody when it stays away.
    name: "Watchdog",
    when: "vector(1)",
    for: "0s",
    severity: "none",
    summary: "Prometheus and Alertmanager work.",
    action: "Nothing, as long as it comes.",
  },
];
