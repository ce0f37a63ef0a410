import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../local/paths";
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

test.each(alertRules)("$alert leads to what the runbook says of it", ({ annotations }) => {
  const [page = "", anchor] = annotations.runbook_url.split("#");
  const text = readFileSync(join(repository, page), "utf8");
  const section = text
    .split(/^### /m)
    .find((part) => part.split("\n")[0]?.toLowerCase() === anchor);
  for (const said of ["Symptom", "Check", "Remedy"]) expect(section).toContain(`**${said}.**`);
});
