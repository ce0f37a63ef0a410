import { readFileSync } from "node:fs";
import { join } from "node:path";

const namespace = "kube-system";
const name = "alert-sink";

/** The port that Alertmanager may talk to, wherever its receivers are. */
const port = 443;
export const alertWebhook = `http://${name}.${namespace}.svc.cluster.local:${port}/`;

/**
 * Who is told of the local stack's alerts.
 * @param image with Python
 */
export function renderAlertSink(image: string): object[] {
  const labels = { app: name };
  const metadata = { name, namespace, labels };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port }] },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: {
              runAsUser: 65534,
              sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
            },
            terminationGracePeriodSeconds: 0,
            containers: [
              {
                name,
                image,
                command: ["python", "-c", readFileSync(join(__dirname, "alertSink.py"), "utf8")],
                ports: [{ containerPort: port }],
                resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } },
              },
            ],
          },
        },
      },
    },
  ];
}

/** Of kubectl: what the sink was told, one line a notification, with the time before it. */
export const alertLog = [
  `--namespace=${namespace}`,
  ...["logs", `deployment/${name}`, "--timestamps", "--tail=-1"],
];

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
interface Notification {
  alerts: {
    status: "firing" | "resolved";
    labels: Record<string, string>;
    annotations: Record<string, string>;
  }[];
}

/** An alert as somebody was told of it. */
export interface Told {
  /** RFC 3339. */
  at: string;
  status: "firing" | "resolved";
  name: string;
  namespace: string;
  severity: string;
  summary: string;
}

/** @param log of the sink, by `alertLog` */
export function toldBy(log: string): Told[] {
  return log.split("\n").flatMap((line) => {
    const [, at, json] = /^(\S+) (\{.*\})$/.exec(line) ?? [];
    if (at === undefined || json === undefined) return [];
    return (JSON.parse(json) as Notification).alerts.map(({ status, labels, annotations }) => ({
      at,
      status,
      name: labels.alertname ?? "",
      namespace: labels.namespace ?? "",
      severity: labels.severity ?? "",
      summary: annotations.summary ?? "",
    }));
  });
}

export const describeTold = (told: Told[]): string =>
  told.length === 0
    ? "nobody was told of any alert"
    : told
        .map(
          ({ at, status, severity, name, summary }) =>
            `${at.slice(0, 19)}Z ${status.padEnd(8)} ${severity.padEnd(6)} ${name}: ${summary}`,
        )
        .join("\n");
