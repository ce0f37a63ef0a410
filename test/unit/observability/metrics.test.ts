import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../local/paths";
import { alertRules } from "../../golden/alerts";

/** Names of the series that the service's metrics become. */
function declared(): Set<string> {
  const folders = ["api", "core", "tasks", "worker"].map((name) =>
    join(repository, "docker/service", name),
  );
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".py"))
      .map((file) => join(folder, file)),
  );
  const metric = /\b(Counter|Gauge|Histogram)\(\s*"(\w+)"/g;
  return new Set(
    files
      .flatMap((file) => [...readFileSync(file, "utf8").matchAll(metric)])
      .flatMap(([, kind, name = ""]) => {
        if (kind !== "Histogram") return [name];
        return ["bucket", "sum", "count"].map((part) => `${name}_${part}`);
      }),
  );
}

/** Prometheus' own. https://prometheus.io/docs/concepts/jobs_instances/ */
const automatic = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];

const words = new Set(["and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"]);

/** Metrics in a PromQL expression: every name that is no function, label or word of the language. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  return [...bare.matchAll(/\b([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !words.has(name));
}

test.each(alertRules)("$alert asks for metrics that there are", ({ expr }) => {
  const known = [...declared(), ...automatic];
  expect(metricsOf(expr).length).toBeGreaterThan(0);
  for (const metric of metricsOf(expr)) expect(known).toContain(metric);
});

test("a metric is found in an expression, and nothing else is taken for one", () => {
  expect(
    metricsOf('sum by (job) (rate(aigc_missing_total{status="x"}[10m])) / 60 > 0.05 or absent(up)'),
  ).toEqual(["aigc_missing_total", "up"]);
});
