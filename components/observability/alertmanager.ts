import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";
import { https } from "../network/flows";
import { renderInhibitions } from "./inhibitions";

export interface AlertmanagerArgs extends ComponentArgs, Omit<VolumeArgs, "storage"> {
  namespace: string;
  /** By digest; `alertmanager` on the PATH. */
  image: string;
  tell: Receivers;
  /** Names of the stack's alerts. */
  alerts: string[];
  resources: Resources;
}

/** Who is told of alerts: of all of them, by each way that is given. */
export interface Receivers {
  /** URL that is sent them in Alertmanager's own format. */
  webhook?: pulumi.Input<string>;
  /** URL of an incoming webhook, which knows its channel. */
  slack?: pulumi.Input<string>;
  /** Key of a service's Events API v2; what pages is critical there, all else a warning. */
  pagerduty?: pulumi.Input<string>;
  email?: Mail;
  /** URL that is sent the alert that is always there, each minute: a dead man's switch. @default nobody is */
  watchdog?: pulumi.Input<string>;
}

export interface Mail {
  /** Addresses, with commas between. */
  to: string;
  from: string;
  /** host:port of the server, with STARTTLS, or TLS at port 465. */
  smarthost: string;
  username: string;
  password: pulumi.Input<string>;
}

const app = "alertmanager";
const uid = 65534;
const configDirectory = "/etc/alertmanager";

/** Tells somebody of alerts: once, together, and again while they last. */
export class Alertmanager extends Component {
  readonly app = app;
  /** Host name inside the cluster. */
  readonly host: string;

  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Alertmanager", name, args, opts);
    const { namespace, tell } = args;
    const keys = {
      webhook: tell.webhook,
      slack: tell.slack,
      pagerduty: tell.pagerduty,
      email: tell.email?.password,
      watchdog: tell.watchdog,
    };
    const metadata = { name: app, namespace, labels: labels(app) };
    const config = new k8s.core.v1.Secret(
      `${name}-config`,
      {
        metadata: { namespace },
        stringData: {
          "alertmanager.yml": renderAlertmanagerConfig(tell, args.alerts),
          ...(Object.fromEntries(Object.entries(keys).filter(([, key]) => key)) as Record<
            string,
            pulumi.Input<string>
          >),
        },
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
    singleReplica(
      name,
      {
        metadata,
        service,
        // Silences, and what was told already.
        volume: { ...args, storage: "1Gi" },
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
      },
      this.child,
    );
    this.host = serviceHost(app, namespace);
    const mail = tell.email ? [Number(tell.email.smarthost.split(":")[1])] : [];
    this.targets.push({ job: app, app, host: this.host, port: ports.alertmanager });
    this.flows.push(
      { from: this, to: "anywhere", ports: [https, ...mail] },
      { from: "operators", to: this, ports: [ports.alertmanager] },
    );
    this.registerOutputs({ host: this.host });
  }
}

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
const pagerdutySeverity =
  '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}';

/** Whoever is told by no receiver. */
const nobody = { name: "nobody" };

/**
 * https://prometheus.io/docs/alerting/latest/configuration/
 * @param alerts names of those that the stack has
 */
export function renderAlertmanagerConfig(
  { webhook, slack, pagerduty, email, watchdog }: Receivers,
  alerts: string[],
): string {
  const file = (name: keyof Receivers) => `${configDirectory}/${name}`;
  const receiver = {
    name: "operators",
    ...(webhook && { webhook_configs: [{ url_file: file("webhook") }] }),
    ...(slack && { slack_configs: [{ api_url_file: file("slack"), send_resolved: true }] }),
    ...(pagerduty && {
      pagerduty_configs: [{ routing_key_file: file("pagerduty"), severity: pagerdutySeverity }],
    }),
    ...(email && {
      email_configs: [
        {
          to: email.to,
          from: email.from,
          smarthost: email.smarthost,
          auth_username: email.username,
          auth_password_file: file("email"),
          send_resolved: true,
        },
      ],
    }),
  };
  const deadMansSwitch = watchdog
    ? {
        name: "watchdog",
        webhook_configs: [{ url_file: file("watchdog"), send_resolved: false }],
      }
    : nobody;
  const configuration = {
    route: {
      receiver: receiver.name,
      group_by: ["alertname"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "24h",
      routes: [
        {
          receiver: deadMansSwitch.name,
          matchers: ['severity="none"'],
          ...{ group_wait: "0s", group_interval: "1m", repeat_interval: "1m" },
        },
        {
          receiver: receiver.name,
          matchers: ['severity="page"'],
          // Whoever was woken is soon told that it is over.
          ...{ group_interval: "1m", repeat_interval: "1h" },
        },
      ],
    },
    receivers: [receiver, deadMansSwitch],
    inhibit_rules: renderInhibitions(alerts),
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
