import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";
import { apiServer, namespaceOf } from "../network/flows";
import { Alertmanager, type Receivers } from "./alertmanager";
import { type Alert, renderAlertRules } from "./alerts";
import { dashboardConfigMaps } from "./grafana";
import { kubeletJobs, kubeletPort, volumeAlerts } from "./kubelets";
import { nodeAccess, nodeAlerts, nodeExporterJob } from "./nodes";
import { deliveryAlerts, ownAlerts, targetAlerts } from "./ownAlerts";
import { renderPrometheusConfig, rulesFile, type ScrapeTarget } from "./prometheusConfig";

export interface MonitoringArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; Prometheus 3. */
  image: string;
  /** What is scraped besides Prometheus itself. */
  targets: ScrapeTarget[];
  /** Of other namespaces, by the host of their Service and the port of their pods. */
  exporters: { job: string; host: string; port: number }[];
  /** Ask each node's kubelet of volumes and containers, by leave of the whole cluster. */
  kubelets: boolean;
  /** Port of the node_exporter that each node has; 0: none has. */
  nodeExporter: number;
  /** When somebody is told, besides what is not scraped. */
  alerts: Alert[];
  /** URL of docs/runbook.md, where alerts lead; "": nowhere. */
  runbook: string;
  /** Dashboards for a Grafana that is in the cluster. */
  dashboards: boolean;
  /** How long samples are kept, a Prometheus duration. */
  retention: string;
  resources: Resources;
  /** Tell somebody of alerts; else Prometheus only shows them. */
  alertmanager: boolean;
  /** By digest; Alertmanager. */
  alertmanagerImage: string;
  alertmanagerResources: Resources;
  /** Who is told of alerts. */
  tell: Receivers;
}

const app = "prometheus";
const uid = 65534;

/** Prometheus with its alerts, and Alertmanager. */
export class Monitoring extends Component {
  readonly app = app;
  /** URL inside the cluster. */
  readonly url: string;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Monitoring", name, args, opts);
    const { namespace, kubelets, nodeExporter } = args;
    const metadata = { name: app, namespace, labels: labels(app) };
    const host = serviceHost(app, namespace);
    const ofNodes = [...(kubelets ? [kubeletPort] : []), ...(nodeExporter ? [nodeExporter] : [])];
    const alerts = [
      ...args.alerts,
      ...targetAlerts,
      ...ownAlerts,
      ...(kubelets ? volumeAlerts : []),
      ...(nodeExporter ? nodeAlerts : []),
      ...(args.alertmanager ? deliveryAlerts : []),
    ];
    const alertmanager = args.alertmanager
      ? new Alertmanager(
          `${name}-alertmanager`,
          {
            namespace,
            image: args.alertmanagerImage,
            tell: args.tell,
            alerts: alerts.map(({ name }) => name),
            storageClass: args.storageClass,
            protect: args.protect,
            resources: args.alertmanagerResources,
          },
          { parent: this },
        )
      : undefined;
    const targets = [
      ...args.targets,
      ...args.exporters.map((exporter) => ({
        ...exporter,
        namespace: namespaceOf(exporter.host) as string,
      })),
      { job: app, app, host, port: ports.prometheus },
      ...(alertmanager?.targets ?? []),
    ];
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace },
        data: {
          "prometheus.yml": renderPrometheusConfig({
            targets,
            namespace,
            others: [
              ...(kubelets ? kubeletJobs(namespace) : []),
              ...(nodeExporter ? [nodeExporterJob(nodeExporter)] : []),
            ],
            alertmanager: alertmanager && `${alertmanager.host}:${ports.alertmanager}`,
          }),
          [rulesFile]: renderAlertRules(alerts, args.runbook),
        },
      },
      this.child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: { selector: labels(app), ports: [{ name: "http", port: ports.prometheus }] },
      },
      this.child,
    );
    singleReplica(
      name,
      {
        metadata,
        service,
        volume: args,
        pod: {
          ...restrictedPod(uid),
          ...(ofNodes.length > 0 && nodeAccess(name, { app, namespace, kubelets }, this.child)),
          containers: [
            {
              ...restrictedContainer,
              name: app,
              image: args.image,
              command: [
                "prometheus",
                "--config.file=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.path=/prometheus",
                `--storage.tsdb.retention.time=${args.retention}`,
              ],
              ports: [{ name: "http", containerPort: ports.prometheus }],
              resources: args.resources,
              startupProbe: {
                httpGet: { path: "/-/ready", port: "http" },
                periodSeconds: 2,
                failureThreshold: 150,
              },
              readinessProbe: { httpGet: { path: "/-/ready", port: "http" } },
              livenessProbe: {
                httpGet: { path: "/-/healthy", port: "http" },
                failureThreshold: 6,
              },
              volumeMounts: [
                { name: "data", mountPath: "/prometheus" },
                { name: "config", mountPath: "/etc/prometheus", readOnly: true },
              ],
            },
          ],
          volumes: [{ name: "config", configMap: { name: config.metadata.name } }],
        },
      },
      this.child,
    );
    if (args.dashboards) dashboardConfigMaps(name, namespace, this.child);
    this.flows.push(...targets.map((to) => ({ from: this, to, ports: [to.port] })));
    this.flows.push({ from: "operators", to: this, ports: [ports.prometheus] });
    if (ofNodes.length > 0) {
      this.flows.push({ from: this, to: "anywhere", ports: [...apiServer, ...ofNodes] });
    }
    this.flows.push(...(alertmanager?.flows ?? []));
    this.url = `http://${host}:${ports.prometheus}`;
    this.registerOutputs({ url: this.url });
  }
}
