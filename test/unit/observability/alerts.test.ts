import { expect, test } from "vitest";
import { alerts } from "../../../components/observability/alerts";
import { alertCases } from "./alertCases";

test.each(alerts)("$name has a case in which it fires and one in which it is quiet", ({ name }) => {
  const cases = alertCases.filter(({ alert }) => alert === name);
  expect(cases.some(({ fires }) => fires)).toBe(true);
  expect(cases.some(({ fires }) => !fires)).toBe(true);
});

test("every case is one of an alert that there is", () => {
  const names = alerts.map(({ name }) => name);
  for (const { alert } of alertCases) expect(names).toContain(alert);
});
