import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { singleReplica } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";

export interface AlertmanagerArgs extends ComponentArgs {
  namespace: string;
  /** By digest; `alertmanager` on the PATH. */
  image: string;
  /** URL that is sent the alerts, in Alertmanager's webhook format. */
  webhook: pulumi.Input<string>;
  /** Refuses to delete its silences; `pulumi state unprotect` lifts it. */
  protect: boolean;
  resources: Resources;
}

const app = "alertmanager";
const uid = 65534;
const configDirectory = "/etc/alertmanager";

/** Tells somebody of alerts: once, together, and again while they last. */
export class Alertmanager extends Component {
  /** Host name inside the cluster. */
  readonly host: string;

  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Alertmanager", name, args, opts);
    const { namespace } = args;
    const metadata = { name: app, namespace, labels: labels(app) };
    const config = new k8s.core.v1.Secret(
      `${name}-config`,
      {
        metadata: { namespace },
        stringData: { "alertmanager.yml": renderAlertmanagerConfig(), webhook: args.webhook },
      },
      this.child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: { selector: labels(app), ports: [{ name: "http", port: ports.alertmanager }] },
      },
      this.child,
    );
    new k8s.apps.v1.StatefulSet(
      `${name}-server`,
      singleReplica({
        metadata,
        service,
        // Silences, and what was told already.
        storage: "1Gi",
        pod: {
          ...restrictedPod(uid),
          containers: [
            {
              ...restrictedContainer,
              name: app,
              image: args.image,
              command: [
                "alertmanager",
                `--config.file=${configDirectory}/alertmanager.yml`,
                "--storage.path=/data",
                // There is one; it looks for no others.
                "--cluster.listen-address=",
              ],
              ports: [{ name: "http", containerPort: ports.alertmanager }],
              resources: args.resources,
              readinessProbe: { httpGet: { path: "/-/ready", port: "http" } },
              livenessProbe: {
                httpGet: { path: "/-/healthy", port: "http" },
                failureThreshold: 6,
              },
              volumeMounts: [
                { name: "data", mountPath: "/data" },
                { name: "config", mountPath: configDirectory, readOnly: true },
              ],
            },
          ],
          volumes: [{ name: "config", secret: { secretName: config.metadata.name } }],
        },
      }),
      { ...this.child, protect: args.protect },
    );
    this.host = serviceHost(app, namespace);
    this.registerOutputs({ host: this.host });
  }
}

/** https://prometheus.io/docs/alerting/latest/configuration/ */
export function renderAlertmanagerConfig(): string {
  const configuration = {
    route: {
      receiver: "webhook",
      group_by: ["alertname"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "24h",
      routes: [{ receiver: "webhook", matchers: ['severity="page"'], repeat_interval: "1h" }],
    },
    receivers: [{ name: "webhook", webhook_configs: [{ url_file: `${configDirectory}/webhook` }] }],
    // What follows from a cause is not told beside it.
    inhibit_rules: [
      {
        source_matchers: ['alertname="DatabaseDown"'],
        target_matchers: ['alertname=~"NoWorker|QueueWaits|RequestsFail|RedisDown"'],
      },
      {
        source_matchers: ['alertname=~"NoWorker|RedisDown"'],
        target_matchers: ['alertname=~"QueueWaits|RequestsFail"'],
      },
    ],
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
