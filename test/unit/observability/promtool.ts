import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scoped } from "../../../components/observability/scope";
import { type AlertRule, rulesOf } from "../../golden/alerts";
import { type AlertCase, alertCases } from "./alertCases";

/**
 * Writes a stack's rules and their cases as `promtool test rules` reads them, one alert a file: some
 * cases last for days, in which each rule of their file is evaluated each minute.
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 * @param like the stack whose cases they are
 * @returns names of the files of cases, in the directory
 */
export function writeAlertCases(stack: string, directory: string, like = stack): string[] {
  mkdirSync(directory, { recursive: true });
  const known = new Set(rulesOf(stack).map(({ alert }) => alert));
  const cases = alertCases
    .filter((each) => (each.stack ?? "prod") === like)
    .filter(({ alert }) => like === stack || known.has(alert));
  return [...new Set(cases.map(({ alert }) => alert))].map((alert) => {
    const rules = rulesOf(stack).filter((rule) => rule.alert === alert);
    const own = cases.filter((each) => each.alert === alert);
    const write = (name: string, content: object) => {
      writeFileSync(join(directory, name), JSON.stringify(content));
      return name;
    };
    const rule_files = [write(`${alert}.rules.yml`, { groups: [{ name: alert, rules }] })];
    return write(`${alert}.cases.yml`, { rule_files, tests: own.map((each) => test(rules, each)) });
  });
}

const test = (rules: AlertRule[], { alert, series, at, fires, value = "" }: AlertCase) => ({
  interval: "1m",
  input_series: Object.entries(series).map(([name, values]) => ({
    series: rules[0]?.labels.namespace ? scoped(name, rules[0].labels.namespace) : name,
    values,
  })),
  alert_rule_test: [
    {
      eval_time: at,
      alertname: alert,
      exp_alerts: fires ? [expected(rules, alert, fires, value)] : [],
    },
  ],
});

function expected(rules: AlertRule[], name: string, labels: Record<string, string>, value: string) {
  // Each pool of workers has one of its own.
  const rule = rules.find((each) => (each.labels.job ?? labels.job) === labels.job) ?? rules[0];
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
