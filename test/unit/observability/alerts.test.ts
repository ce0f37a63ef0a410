import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderAlertRules } from "../../../components/observability/alerts";
import { inhibitions } from "../../../components/observability/inhibitions";
import { repository } from "../../../local/paths";
import { alertRules } from "../../golden/alerts";
import { alertCases } from "./alertCases";

test.each(alertRules)(
  "$alert has a case in which it fires and one in which it is quiet",
  (rule) => {
    const cases = alertCases.filter(({ alert }) => alert === rule.alert);
    expect(cases.some(({ fires }) => fires)).toBe(true);
    // It is quiet when there is no Prometheus.
    const always = rule.alert === "Watchdog";
    expect(cases.some(({ fires }) => !fires)).toBe(!always);
  },
);

test("every case is one of an alert that there is", () => {
  const names = alertRules.map(({ alert }) => alert);
  for (const { alert } of alertCases) expect(names).toContain(alert);
});

test.each(alertRules)("$alert leads to what the runbook says of it", (rule) => {
  const { alert, annotations } = rule;
  const [page, anchor] = (annotations.runbook_url ?? renderedUrl(alert)).split("#");
  expect(page).toMatch(/^https:/);
  const text = readFileSync(join(repository, "docs/runbook.md"), "utf8");
  const section = text
    .split(/^### /m)
    .find((part) => part.split("\n")[0]?.toLowerCase() === anchor);
  for (const said of ["Symptom", "Check", "Remedy"]) expect(section).toContain(`**${said}.**`);
});

/** Of an alert of a stack that gives no URL. */
const renderedUrl = (alert: string): string => {
  const one = {
    name: alert,
    when: "",
    for: "",
    severity: "page",
    summary: "",
    action: "",
  } as const;
  const { groups } = JSON.parse(renderAlertRules([one], "https://wiki.example.com/runbook"));
  return groups[0].rules[0].annotations.runbook_url;
};

test("no alert leads to a path, which a pager can't open", () => {
  const urls = alertRules.flatMap(({ annotations }) => annotations.runbook_url ?? []);
  for (const url of urls) expect(url).toMatch(/^https:/);
});

test.each(alertRules)("$alert tells the number that it is about", ({ expr, annotations }) => {
  // Of what is there or not, there is none to tell; nor before the first time.
  const yesOrNo = /== [01]\b|vector\(1\)/.test(expr);
  if (!yesOrNo) expect(annotations.summary).toContain("{{ $value");
});

test("there are 25 alerts or more, and each tells how urgent it is", () => {
  expect(alertRules.length).toBeGreaterThanOrEqual(25);
  for (const { labels } of alertRules)
    expect(["page", "ticket", "none"]).toContain(labels.severity);
});

test("what inhibits an alert is its cause, and never hides another cause", () => {
  const effects = inhibitions.flatMap(({ effects }) => effects);
  for (const cause of [
    "NoApi",
    "NoNginx",
    "DatabaseDown",
    "RedisDown",
    "NoWorker",
    "NoWorkerStarts",
  ]) {
    expect(effects).not.toContain(cause);
  }
});
