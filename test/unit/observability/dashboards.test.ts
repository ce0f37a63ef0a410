import { expect, test } from "vitest";
import { dashboards } from "../../../components/observability/dashboards";
import { renderDashboard } from "../../../components/observability/grafana";
import { metricNames, metricsOf } from "./metrics";

const panels = dashboards.flatMap((dashboard) =>
  dashboard.panels.map((panel) => ({ ...panel, of: dashboard.name })),
);

test.each(panels)("$of, $title: asks for metrics that there are", ({ queries }) => {
  for (const query of Object.values(queries)) {
    expect(metricsOf(query).length).toBeGreaterThan(0);
    for (const metric of metricsOf(query)) expect([...metricNames]).toContain(metric);
  }
});

test.each(panels)("$of, $title: a legend names labels that the query keeps", ({ queries }) => {
  for (const [legend, query] of Object.entries(queries)) {
    const [, kept] = /^(?:sum|max|min) by \(([^)]*)\)/.exec(query) ?? [];
    const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    if (kept !== undefined) expect(kept.split(", ")).toEqual(named);
  }
});

test.each(dashboards)(
  "$name: Grafana gets every panel, of whichever Prometheus is chosen",
  (dashboard) => {
    const made = JSON.parse(renderDashboard(dashboard, "one"));
    expect(made.uid).toBe(`one-${dashboard.name}`);
    expect(made.templating.list).toMatchObject([{ type: "datasource", query: "prometheus" }]);
    const panels = made.panels as {
      title: string;
      datasource: object;
      targets: { expr: string }[];
    }[];
    expect(panels.map(({ title }) => title)).toEqual(dashboard.panels.map(({ title }) => title));
    for (const [at, { queries }] of dashboard.panels.entries()) {
      expect(panels[at]?.datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
      expect(panels[at]?.targets.map(({ expr }) => expr)).toEqual(Object.values(queries));
    }
  },
);

test("two stacks in one Grafana have dashboards of their own", () => {
  const [dashboard] = dashboards;
  if (!dashboard) throw new Error("there are none");
  const uid = (namespace: string) => JSON.parse(renderDashboard(dashboard, namespace)).uid;
  expect(uid("one")).not.toBe(uid("two"));
});
