import { expect, test } from "vitest";
import { alertRules } from "../../golden/alerts";
import { alertCases } from "./alertCases";

test.each(alertRules)(
  "$alert has a case in which it fires and one in which it is quiet",
  (rule) => {
    const cases = alertCases.filter(({ alert }) => alert === rule.alert);
    expect(cases.some(({ fires }) => fires)).toBe(true);
    expect(cases.some(({ fires }) => !fires)).toBe(true);
  },
);

test("every case is one of an alert that there is", () => {
  const names = alertRules.map(({ alert }) => alert);
  for (const { alert } of alertCases) expect(names).toContain(alert);
});
