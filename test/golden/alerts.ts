import type { Props } from "../../policy/resource";
import type { Declared } from "./record";
import { accepted, stacks } from "./stacks";
import { plain } from "./whole";

/** A rule as Prometheus reads it. */
export interface AlertRule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: { summary: string; action: string; runbook_url?: string };
}

/** In the file of the stack's own Prometheus, or in what an operator's reads. */
export function rulesOf(stack: string, declared: Declared = accepted(stack)): AlertRule[] {
  const inputs = (name: string) => plain(declared[name]?.inputs) as Props;
  const { groups } = declared["monitoring-alerts"]
    ? inputs("monitoring-alerts").spec
    : JSON.parse(inputs("monitoring-config").data["alerts.yml"]);
  return (groups as Props[]).flatMap(({ rules }) => rules as AlertRule[]);
}

/** Every alert that some stack has, once. */
export const alertRules: AlertRule[] = [
  ...new Map(stacks.flatMap((stack) => rulesOf(stack)).map((rule) => [rule.alert, rule])).values(),
];
