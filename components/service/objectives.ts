import type { Alert } from "../observability/alerts";

/** That tasks have their pictures in time. */
export interface InTime {
  /** Percent of the tasks that succeed. */
  objective: number;
  /** From acceptance to the last picture, a bucket of aigc_completion_seconds. */
  seconds: number;
}

interface Budget {
  /** Percent that are good, over 30 days. */
  objective: number;
  /** PromQL of the share that is bad, in a window such as 5m. */
  share(window: string): string;
  /** Lets both windows of an alert count, @default always */
  enough?(long: string): string;
  fast: Told;
  slow: Told;
}
type Told = Pick<Alert, "name" | "summary" | "action">;

/**
 * Tells of an error budget that would be used up early: what is lost within an hour wakes somebody,
 * what is lost within days waits for the morning. The shorter window ends an alert soon after its
 * cause. https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
function budgetAlerts({ objective, share, enough, fast, slow }: Budget): Alert[] {
  const burns = (times: number, long: string, short: string) => {
    const most = Number(((times * (100 - objective)) / 100).toPrecision(4));
    const more = enough ? ` and ${enough(long)}` : "";
    return `(${share(long)} > ${most} and ${share(short)} > ${most}${more})`;
  };
  return [
    {
      ...fast,
      when: `${burns(14.4, "1h", "5m")}\n  or ${burns(6, "6h", "30m")}`,
      for: "2m",
      severity: "page",
    },
    {
      ...slow,
      when: `${burns(3, "1d", "2h")}\n  or ${burns(1, "3d", "6h")}`,
      for: "1h",
      severity: "ticket",
    },
  ];
}

/** @param objective percent of the requests for pictures that succeed, over 30 days */
export function errorAlerts(objective: number): Alert[] {
  const action = "kubectl logs -l app=api and -l app=aigc-worker name the errors.";
  const summary = (since: string) =>
    `{{ $value | humanizePercentage }} of the requests for pictures fail${since}; ${objective} % shall succeed.`;
  return budgetAlerts({
    objective,
    share: (window) =>
      `sum(rate(aigc_requests_total{status="failed"}[${window}])) / sum(rate(aigc_requests_total[${window}]))`,
    fast: { name: "RequestsFail", summary: summary(""), action },
    slow: { name: "RequestsFailSlowly", summary: summary(", for days"), action },
  });
}

/** Of few tasks one alone would use the budget up. https://sre.google/workbook/alerting-on-slos/#low-traffic-services-and-error-budget-alerting */
const fewestTasks = 10;

export function latenessAlerts({ objective, seconds }: InTime): Alert[] {
  const metric = "aigc_completion_seconds";
  // As Prometheus 3 writes the label: https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values
  const bucket = Number.isInteger(seconds) ? `${seconds}.0` : `${seconds}`;
  const action = "Queue or drawing? Compare aigc_pickup_seconds with aigc_generation_seconds.";
  const summary = (since: string) =>
    `{{ $value | humanizePercentage }} of the tasks take longer than ${seconds} s${since}; ${objective} % shall not.`;
  return budgetAlerts({
    objective,
    share: (window) =>
      `1 - sum(rate(${metric}_bucket{le="${bucket}"}[${window}])) / sum(rate(${metric}_count[${window}]))`,
    enough: (long) => `sum(increase(${metric}_count[${long}])) >= ${fewestTasks}`,
    fast: { name: "PicturesLate", summary: summary(""), action },
    slow: { name: "PicturesLateForDays", summary: summary(", for days"), action },
  });
}
