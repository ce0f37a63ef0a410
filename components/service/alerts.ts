import type { Alert } from "../observability/alerts";
import { errorAlerts, type InTime, latenessAlerts } from "./objectives";

/** Ends of an attempt that are no client's doing. */
/** Outcomes of attempts that nobody wanted. */
export const faults = "out_of_memory|gpu_error|generation_failed|worker_lost";

/**
 * Of all requests and tasks together.
 * @param objective percent of the requests for pictures that succeed, over 30 days
 */
export const serviceAlerts = (objective: number, inTime: InTime): Alert[] => [
  ...errorAlerts(objective),
  ...latenessAlerts(inTime),
  {
    name: "RequestsSlow",
    // Not those that wait for a picture, or for a client's upload.
    when: `histogram_quantile(0.95, sum by (le, route) (
    rate(aigc_http_request_seconds_bucket{route!~"/api/generate|/api/inputs|/v1/images/.*"}[10m]))) > 1`,
    for: "10m",
    severity: "ticket",
    summary:
      "Of requests to {{ $labels.route }} 5 % take longer than {{ $value | humanizeDuration }}.",
    action: "Is PostgreSQL slow, or the api out of CPU? kubectl top pods.",
  },
  {
    name: "RequestsShed",
    // Full it still is: else it would tell of what is over, such as a lack of workers.
    when: `sum(rate(aigc_requests_refused_total{reason="queue-full"}[5m])) > 0
  and max(aigc_queue_size) > 0.9 * max(aigc_queue_limit)`,
    for: "5m",
    severity: "page",
    summary: "The queue is full: {{ $value | humanize }} requests a second are sent away.",
    action: "Raise workers.replicas or workers.autoscaling.max, if all workers draw.",
  },
  {
    name: "QueueWaits",
    when: "max by (model) (aigc_queue_oldest_age_seconds) > 300",
    for: "5m",
    severity: "page",
    summary:
      "The oldest picture of {{ $labels.model }} has waited for {{ $value | humanizeDuration }}.",
    action:
      "Raise workers.replicas, or workers.autoscaling.max, if all workers draw; look at their logs if they don't.",
  },
  {
    name: "QueueGrows",
    when: `predict_linear(max(aigc_queue_size)[15m:1m], 1800) > max(aigc_queue_limit)
  and max(aigc_queue_size) > 0.2 * max(aigc_queue_limit)`,
    for: "10m",
    severity: "ticket",
    summary:
      "{{ $value | humanize }} pictures will wait in half an hour, more than the queue takes.",
    action: "As for QueueWaits, before it is full.",
  },
  {
    name: "DeadTasks",
    when: "max(aigc_dead_tasks) - max(aigc_dead_tasks offset 1h) > 0",
    for: "1m",
    severity: "ticket",
    summary: "{{ $value }} tasks used up their attempts within an hour.",
    action: "kubectl exec deploy/api -- python -m tasks dead --since 2h.",
  },
  {
    name: "AttemptsFail",
    when: `sum(rate(aigc_attempts_total{outcome=~"${faults}"}[30m]))
  / sum(rate(aigc_attempts_total[30m])) > 0.1`,
    for: "10m",
    severity: "ticket",
    summary:
      "{{ $value | humanizePercentage }} of the attempts at pictures fail, and are made again.",
    action: "sum by (outcome, instance) (increase(aigc_attempts_total[1h])): one worker, or all?",
  },
  {
    name: "WorkerStartsSlowly",
    // Before it is ready; it compiles later. Two minutes are for a cold disk.
    when: 'sum by (job, instance) (aigc_worker_start_seconds{phase=~"imports|weights|warm_up"}) > 180',
    for: "1m",
    severity: "ticket",
    summary: "{{ $labels.instance }} took {{ $value | humanizeDuration }} to start.",
    action: "aigc_worker_start_seconds by phase: the volume of the weights, or the CPU?",
  },
  {
    name: "WorkerNotCompiled",
    when: "min by (instance) (aigc_worker_compiled) == 0",
    for: "30m",
    severity: "ticket",
    summary: "{{ $labels.instance }} still draws uncompiled, at half its speed.",
    action: 'kubectl logs -l app=aigc-worker says "pictures are drawn uncompiled" and why.',
  },
];
