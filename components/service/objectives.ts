import type { Alert } from "../observability/alerts";

/**
 * Tells of an error budget that would be used up early: what is lost within an hour wakes somebody,
 * what is lost within days waits for the morning. The shorter window ends an alert soon after its
 * cause. https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 * @param objective percent of the requests for pictures that succeed, over 30 days
 */
export function errorBudgetAlerts(objective: number): Alert[] {
  const share = (window: string) =>
    `sum(rate(aigc_requests_total{status="failed"}[${window}])) / sum(rate(aigc_requests_total[${window}]))`;
  const burns = (times: number, long: string, short: string) => {
    const most = Number(((times * (100 - objective)) / 100).toPrecision(4));
    return `(${share(long)} > ${most} and ${share(short)} > ${most})`;
  };
  const action = "kubectl logs -l app=api and -l app=aigc-worker name the errors.";
  return [
    {
      name: "RequestsFail",
      when: `${burns(14.4, "1h", "5m")}\n  or ${burns(6, "6h", "30m")}`,
      for: "2m",
      severity: "page",
      summary: `{{ $value | humanizePercentage }} of the requests for pictures fail; ${objective} % shall succeed.`,
      action,
    },
    {
      name: "RequestsFailSlowly",
      when: `${burns(3, "1d", "2h")}\n  or ${burns(1, "3d", "6h")}`,
      for: "1h",
      severity: "ticket",
      summary: `{{ $value | humanizePercentage }} of the requests for pictures fail, for days; ${objective} % shall succeed.`,
      action,
    },
  ];
}
