import type { Props } from "../../policy/resource";
import { accepted, stacks } from "./stacks";
import { plain } from "./whole";

/** A rule as Prometheus reads it. */
export interface AlertRule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: { summary: string; action: string; runbook_url?: string };
}

/** Prometheus' file of a stack's alerts. */
export const rulesFileOf = (stack: string): string =>
  (plain(accepted(stack)["monitoring-config"]?.inputs) as Props).data["alerts.yml"];

export const rulesOf = (stack: string): AlertRule[] =>
  (JSON.parse(rulesFileOf(stack)).groups as Props[]).flatMap(({ rules }) => rules as AlertRule[]);

/** Every alert that some stack has, once. */
export const alertRules: AlertRule[] = [
  ...new Map(stacks.flatMap(rulesOf).map((rule) => [rule.alert, rule])).values(),
];
