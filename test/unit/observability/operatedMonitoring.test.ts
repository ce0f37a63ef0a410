import { beforeAll, expect, test } from "vitest";
import { dashboards } from "../../../components/observability/dashboards";
import { scoped } from "../../../components/observability/scope";
import type { Props } from "../../../policy/resource";
import { rulesOf } from "../../golden/alerts";
import { flowsOf } from "../../golden/flows";
import type { Declared } from "../../golden/record";
import { accepted, declareEach } from "../../golden/stacks";
import { plain } from "../../golden/whole";
import { metricsOf } from "./metrics";

// The stack that an operator's Prometheus watches, beside the same one with a Prometheus of its own.

const operated = accepted("operated");
let own: Declared;

const monitors = Object.values(operated)
  .filter(({ type }) => type.endsWith(":PodMonitor"))
  .map(({ inputs }) => plain(inputs) as Props);

beforeAll(async () => {
  const values = { "monitoring.operator": false, "monitoring.operatorLabels": {} };
  [own] = (await declareEach("operated", [values])) as [Declared];
});

test("its alerts are those of a Prometheus of its own, but for what that tells of itself", () => {
  const ofItself = ["RulesFail", "AlertsNotDelivered", "Watchdog"];
  const unscoped = rulesOf("operated").map(
    ({ expr, labels: { namespace, ...labels }, ...rule }) => {
      expect(namespace).toBe("image-service");
      const plainly = expr.replaceAll(/namespace="image-service",?/g, "").replaceAll("{}", "");
      return { ...rule, expr: plainly, labels };
    },
  );
  expect(unscoped).toEqual(
    rulesOf("operated", own).filter(({ alert }) => !ofItself.includes(alert)),
  );
});

test("each metric that an alert or a dashboard asks for is the stack's own", () => {
  const shown = Object.entries(operated)
    .filter(([name]) => name.startsWith("monitoring-dashboard-"))
    .flatMap(([, { inputs }]) => Object.values((plain(inputs) as Props).data as string[]))
    .flatMap((text) => JSON.parse(text).panels as Props[])
    .flatMap(({ targets }) => targets as Props[])
    .map(({ expr }) => expr as string);
  const plainly = dashboards.flatMap(({ panels }) =>
    panels.flatMap(({ queries }) => Object.values(queries)),
  );
  expect(shown).toHaveLength(plainly.length);
  for (const query of [...shown, ...rulesOf("operated").map(({ expr }) => expr)]) {
    const asked = [...query.matchAll(/(\w+)\{namespace="image-service"/g)].map(([, name]) => name);
    expect(asked, query).toEqual(metricsOf(query));
  }
});

test.each([
  ["up", 'up{namespace="n"}'],
  ['sum by (job) (up{job=~"a|by"}) > 0', 'sum by (job) (up{namespace="n",job=~"a|by"}) > 0'],
  [
    "max(a)[1d:10m] and on () b offset 1h",
    'max(a{namespace="n"})[1d:10m] and on () b{namespace="n"} offset 1h',
  ],
  ["vector(1) > 1e8", "vector(1) > 1e8"],
])("%s of one stack alone", (query, expected) => {
  expect(scoped(query, "n")).toBe(expected);
});

test("it asks the pods that a Prometheus of its own would, under the same names", () => {
  const { data } = plain(own["monitoring-config"]?.inputs) as Props;
  const jobs = (JSON.parse(data["prometheus.yml"]).scrape_configs as Props[])
    .filter(
      ({ job_name, dns_sd_configs }) =>
        dns_sd_configs && !/^(prometheus|alertmanager)$/.test(job_name),
    )
    .map(({ job_name, dns_sd_configs }) => [job_name, dns_sd_configs[0].port]);
  const asked = monitors.map(({ spec: { podMetricsEndpoints } }) => {
    const [{ portNumber, relabelings }] = podMetricsEndpoints as [Props];
    const job = (relabelings as Props[]).find(({ targetLabel }) => targetLabel === "job");
    return [job?.replacement, portNumber];
  });
  expect(asked.sort()).toEqual(jobs.sort());
});

test("the policies let its namespace in, to the ports of the metrics alone", () => {
  const open = flowsOf(operated)
    .filter(({ from }) => from === "monitoring")
    .map(({ to, ports }) => [to, ports]);
  const asked = monitors.map(({ spec: { selector, podMetricsEndpoints } }) => [
    selector.matchLabels.app,
    [podMetricsEndpoints[0].portNumber],
  ]);
  expect(open.sort()).toEqual(asked.sort());
});

test("there is no Prometheus, no Alertmanager and no secret of theirs beside it", () => {
  expect(Object.keys(own)).toEqual(
    expect.arrayContaining(["monitoring-server", "monitoring-alertmanager-server"]),
  );
  const names = Object.keys(operated).filter((name) => name.startsWith("monitoring-"));
  const kinds = names.map((name) => operated[name]?.type.split(":").at(-1));
  expect(new Set(kinds)).toEqual(new Set(["PodMonitor", "PrometheusRule", "ConfigMap"]));
});
