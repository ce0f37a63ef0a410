import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { labels } from "../names";
import { type Alert, alertRules } from "./alerts";
import { dashboardConfigMaps } from "./grafana";
import { volumeAlerts } from "./kubelets";
import { targetAlerts } from "./ownAlerts";
import { intervals, type ScrapeTarget } from "./prometheusConfig";
import { scoped } from "./scope";

export interface OperatedMonitoringArgs extends ComponentArgs {
  namespace: string;
  /** Of the operator's Prometheus. */
  operatorNamespace: string;
  /** By which it takes PodMonitors and PrometheusRules. */
  operatorLabels: Record<string, string>;
  /** What it is to scrape. */
  targets: ScrapeTarget[];
  /** It asks the kubelets, too. */
  kubelets: boolean;
  /** When somebody is told, besides what is not scraped. */
  alerts: Alert[];
  /** URL of docs/runbook.md, where alerts lead; "": nowhere. */
  runbook: string;
  /** Dashboards for a Grafana that is in the cluster. */
  dashboards: boolean;
}

const apiVersion = "monitoring.coreos.com/v1";

/**
 * What the cluster's Prometheus operator has to know of the stack.
 * https://prometheus-operator.dev/docs/api-reference/api/
 */
export class OperatedMonitoring extends Component {
  /** Which Prometheus reads what is declared here, the operator alone knows. */
  readonly url = "";

  constructor(name: string, args: OperatedMonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("OperatedMonitoring", name, args, opts);
    const { namespace, operatorLabels, targets } = args;
    for (const target of targets) {
      const { job } = target;
      new k8s.apiextensions.CustomResource(
        `${name}-${job}`,
        {
          apiVersion,
          kind: "PodMonitor",
          metadata: { name: job, namespace, labels: operatorLabels },
          spec: renderPodMonitor(target, namespace),
        },
        this.child,
      );
    }
    const alerts = [...args.alerts, ...targetAlerts, ...(args.kubelets ? volumeAlerts : [])];
    const rules = alertRules(alerts, args.runbook).map((rule) => ({
      ...rule,
      expr: scoped(rule.expr, namespace),
      labels: { ...rule.labels, namespace },
    }));
    new k8s.apiextensions.CustomResource(
      `${name}-alerts`,
      {
        apiVersion,
        kind: "PrometheusRule",
        metadata: { name: "image-service", namespace, labels: operatorLabels },
        spec: { groups: [{ name: "image-service", interval: intervals.evaluation, rules }] },
      },
      this.child,
    );
    if (args.dashboards) {
      dashboardConfigMaps(name, namespace, this.child, (query) => scoped(query, namespace));
    }
    const from = { namespace: args.operatorNamespace };
    this.flows.push(...targets.map((to) => ({ from, to, ports: [to.port] })));
    this.registerOutputs({ url: this.url });
  }
}

/** Asks the pods that DNS would list, and calls them what the alerts do. */
function renderPodMonitor(target: ScrapeTarget, namespace: string) {
  const { job, host, port } = target;
  const isElsewhere = "namespace" in target;
  return {
    ...(isElsewhere && { namespaceSelector: { matchNames: [target.namespace] } }),
    selector: { matchLabels: labels(isElsewhere ? (host.split(".")[0] as string) : target.app) },
    podMetricsEndpoints: [
      {
        portNumber: port,
        interval: intervals.scrape,
        scrapeTimeout: intervals.scrapeTimeout,
        relabelings: [
          { sourceLabels: ["__meta_kubernetes_pod_ready"], regex: "true", action: "keep" },
          { targetLabel: "job", replacement: job },
          { targetLabel: "namespace", replacement: namespace },
        ],
      },
    ],
  };
}
