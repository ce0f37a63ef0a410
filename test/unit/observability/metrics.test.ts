import { expect, test } from "vitest";
import { alertRules } from "../../golden/alerts";
import { metricNames, metricsOf } from "./metrics";

test.each(alertRules)("$alert asks for metrics that there are", ({ alert, expr }) => {
  const asked = metricsOf(expr);
  if (alert !== "Watchdog") expect(asked.length).toBeGreaterThan(0);
  for (const metric of asked) expect([...metricNames]).toContain(metric);
});

test("a metric is found in an expression, and nothing else is taken for one", () => {
  expect(
    metricsOf(
      'sum by (job) (rate(aigc_missing_total{status="x"}[10m])) / 60 > 0.05 or absent(up offset 1h)',
    ),
  ).toEqual(["aigc_missing_total", "up"]);
});
