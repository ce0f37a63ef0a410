import { rulesOf } from "../../golden/alerts";
import { alertCases } from "./alertCases";

/**
 * The alerts' cases as `promtool test rules` reads them.
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 * @param stack whose rules are in the file
 */
export function renderAlertCases(stack: string, rulesFile: string): string {
  const cases = alertCases.filter((each) => (each.stack ?? "prod") === stack);
  const tests = cases.map(({ alert, series, at, fires, value = "" }) => ({
    interval: "1m",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      {
        eval_time: at,
        alertname: alert,
        exp_alerts: fires ? [expected(stack, alert, fires, value)] : [],
      },
    ],
  }));
  return JSON.stringify({ rule_files: [rulesFile], tests });
}

function expected(stack: string, name: string, labels: Record<string, string>, value: string) {
  const rule = rulesOf(stack).find(({ alert }) => alert === name);
  if (!rule) throw new Error(`there is no alert ${name}`);
  const label = (_: string, key: string) => labels[key] ?? "";
  return {
    exp_labels: { ...rule.labels, ...labels },
    exp_annotations: {
      ...rule.annotations,
      summary: rule.annotations.summary
        .replace(/\{\{ \$labels\.(\w+) \}\}/g, label)
        .replace(/\{\{ \$value [^}]*\}\}/g, value),
    },
  };
}
