/** A rule of Prometheus that tells somebody. Components declare their own. */
export interface Alert {
  name: string;
  /** Label that tells it from others of its name. @default there are none */
  job?: string;
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

/**
 * Rules for Prometheus, which reads JSON as the YAML that it also is.
 * @param runbook URL of docs/runbook.md, which has a heading for each
 */
export function renderAlertRules(alerts: Alert[], runbook: string): string {
  const rules = alerts.map(({ name, job, when, severity, summary, action, ...alert }) => ({
    alert: name,
    expr: when,
    for: alert.for,
    labels: { severity, ...(job && { job }) },
    annotations: { summary, action, runbook_url: `${runbook}#${name.toLowerCase()}` },
  }));
  return `${JSON.stringify({ groups: [{ name: "image-service", rules }] }, null, 2)}\n`;
}
