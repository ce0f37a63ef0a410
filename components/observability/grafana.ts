import {
  DashboardBuilder,
  DatasourceVariableBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Dashboard, dashboards, type Panel } from "./dashboards";

/**
 * What the sidecar of Grafana's chart looks for.
 * https://github.com/prometheus-community/helm-charts/blob/main/charts/kube-prometheus-stack/values.yaml, grafana.sidecar.dashboards
 */
const sidecarLabel = { grafana_dashboard: "1" };

/** Whichever Prometheus the reader chooses. */
const source = "datasource";

/** ConfigMaps that the sidecar of a Grafana in the cluster takes for its dashboards. */
export function dashboardConfigMaps(
  name: string,
  namespace: string,
  opts: pulumi.CustomResourceOptions,
  ask?: (query: string) => string,
): void {
  for (const dashboard of dashboards) {
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard-${dashboard.name}`,
      {
        metadata: { name: `dashboard-${dashboard.name}`, namespace, labels: sidecarLabel },
        data: { [`${dashboard.name}.json`]: renderDashboard(dashboard, namespace, ask) },
      },
      opts,
    );
  }
}

/**
 * @param namespace tells it from another stack's in the same Grafana
 * @param ask a query as that Prometheus has to be asked
 */
export function renderDashboard(
  { name, title, panels }: Dashboard,
  namespace: string,
  ask = (query: string) => query,
): string {
  const builder = new DashboardBuilder(title)
    .uid(`${namespace}-${name}`)
    .tags([namespace])
    .refresh("30s")
    .time({ from: "now-6h", to: "now" })
    .withVariable(new DatasourceVariableBuilder(source).label("Prometheus").type("prometheus"));
  for (const panel of panels) builder.withPanel(renderPanel(panel, ask));
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function renderPanel(
  { title, unit, queries }: Panel,
  ask: (query: string) => string,
): PanelBuilder {
  const graph = new PanelBuilder()
    .title(title)
    .unit(unit)
    .min(0)
    .datasource({ type: "prometheus", uid: `\${${source}}` });
  for (const [legend, expr] of Object.entries(queries)) {
    graph.withTarget(new DataqueryBuilder().expr(ask(expr)).legendFormat(legend));
  }
  return graph;
}
