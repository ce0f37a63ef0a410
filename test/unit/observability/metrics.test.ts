import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inTimeSeconds } from "../../../config/groups/api";
import { repository } from "../../../local/paths";
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

test("every time that may be promised for pictures is one that the workers count by", () => {
  const source = readFileSync(join(repository, "docker/service/core/metrics.py"), "utf8");
  const [, buckets = ""] = /COMPLETION_BUCKETS: Final = \(([^)]*)\)/.exec(source) ?? [];
  expect([...buckets.matchAll(/[\d.]+/g)].map(Number)).toEqual(inTimeSeconds);
});
