/** A rule of Prometheus that tells somebody. Components declare their own. */
export interface Alert {
  name: string;
  /** What tells it from others of its name, and what it is inhibited by. @default nothing */
  labels?: Partial<Record<"job" | "model", string>>;
  /** PromQL; each series of its result is one alert. */
  when: string;
  /** How long that has to be so, a Prometheus duration. */
  for: string;
  /** Who is told: `page` wakes somebody, `ticket` waits for the morning, `none` is for machines. */
  severity: "page" | "ticket" | "none";
  /** One sentence, with `{{ $labels.NAME }}` for a label of the series and `{{ $value }}` for its value. */
  summary: string;
  /** Where to look first. */
  action: string;
}

/** None of a job's pods gives metrics, or DNS knows of none. */
export const noneUp = (job: string) => `sum(up{job="${job}"}) == 0 or absent(up{job="${job}"})`;

/**
 * Pods that crash, hang, or never get ready, of a number that no scaler owns.
 * @param start how long one may take, a Prometheus duration
 */
export const tooFewPods = (job: string, app: string, replicas: number, start: string): Alert => ({
  name: "TooFewPods",
  labels: { job },
  when: `sum(up{job="${job}"}) < ${replicas}`,
  for: start,
  severity: "ticket",
  summary: `Only {{ $value }} of ${replicas} pods of ${app} give metrics.`,
  action: `kubectl describe pods -l app=${app}, and kubectl logs -l app=${app} --previous.`,
});

/**
 * As Prometheus' file and a PrometheusRule have them.
 * @param runbook URL of docs/runbook.md, which has a heading for each; "": alerts lead nowhere
 */
export const alertRules = (alerts: Alert[], runbook: string) =>
  alerts.map(({ name, labels, when, severity, summary, action, ...alert }) => ({
    alert: name,
    expr: when,
    for: alert.for,
    labels: { severity, ...labels },
    annotations: {
      summary,
      action,
      ...(runbook && { runbook_url: `${runbook}#${name.toLowerCase()}` }),
    },
  }));

/** Rules for Prometheus, which reads JSON as the YAML that it also is. */
export function renderAlertRules(alerts: Alert[], runbook: string): string {
  const groups = [{ name: "image-service", rules: alertRules(alerts, runbook) }];
  return `${JSON.stringify({ groups }, null, 2)}\n`;
}
