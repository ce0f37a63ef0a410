import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";
import { Alertmanager, type Receivers } from "./alertmanager";
import { renderAlertRules } from "./alerts";
import { renderPrometheusConfig, rulesFile, type ScrapeTarget } from "./prometheusConfig";

export interface MonitoringArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; Prometheus 3. */
  image: string;
  /** What is scraped besides Prometheus itself. */
  targets: ScrapeTarget[];
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

const uid = 65534;

/** Prometheus with its alerts, and Alertmanager. */
export class Monitoring extends Component {
  /** URL inside the cluster. */
  readonly url: string;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Monitoring", name, args, opts);
    const { namespace } = args;
    const prometheus = "prometheus";
    const metadata = { name: prometheus, namespace, labels: labels(prometheus) };
    const host = serviceHost(prometheus, namespace);
    const alertmanager = args.alertmanager
      ? new Alertmanager(
          `${name}-alertmanager`,
          {
            namespace,
            image: args.alertmanagerImage,
            tell: args.tell,
            storageClass: args.storageClass,
            protect: args.protect,
            resources: args.alertmanagerResources,
          },
          { parent: this },
        )
      : undefined;
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace },
        data: {
          "prometheus.yml": renderPrometheusConfig({
            targets: [...args.targets, { job: prometheus, host, port: ports.prometheus }],
            alertmanager: alertmanager && `${alertmanager.host}:${ports.alertmanager}`,
          }),
          [rulesFile]: renderAlertRules(),
        },
      },
      this.child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: { selector: labels(prometheus), ports: [{ name: "http", port: ports.prometheus }] },
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
          containers: [
            {
              ...restrictedContainer,
              name: prometheus,
              image: args.image,
              command: [
                prometheus,
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
    this.url = `http://${host}:${ports.prometheus}`;
    this.registerOutputs({ url: this.url });
  }
}
