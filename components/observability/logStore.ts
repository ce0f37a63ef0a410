import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";

export interface LogStoreArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; VictoriaLogs. */
  image: string;
  /** How long logs are kept, like 14d. */
  retention: string;
  resources: Resources;
}

const app = "victoria-logs";
const uid = 65534;

/** Keeps the stack's logs, with a page to search them at /select/vmui. */
export class LogStore extends Component {
  readonly app = app;
  /** URL inside the cluster. */
  readonly url: string;

  constructor(name: string, args: LogStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("LogStore", name, args, opts);
    const { namespace } = args;
    const metadata = { name: app, namespace, labels: labels(app) };
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: { selector: labels(app), ports: [{ name: "http", port: ports.victoriaLogs }] },
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
              name: app,
              image: args.image,
              command: [
                // https://docs.victoriametrics.com/victorialogs/#list-of-command-line-flags
                "/victoria-logs-prod",
                "-storageDataPath=/data",
                `-retentionPeriod=${args.retention}`,
                `-retention.maxDiskSpaceUsageBytes=${diskLimit(args.storage)}`,
                "-loggerFormat=json",
              ],
              ports: [{ name: "http", containerPort: ports.victoriaLogs }],
              resources: args.resources,
              readinessProbe: { httpGet: { path: "/health", port: "http" } },
              livenessProbe: { httpGet: { path: "/health", port: "http" }, failureThreshold: 6 },
              volumeMounts: [{ name: "data", mountPath: "/data" }],
            },
          ],
          volumes: [],
        },
      },
      this.child,
    );
    const host = serviceHost(app, namespace);
    this.targets.push({ job: "logs", app, host, port: ports.victoriaLogs });
    this.alerts.push({
      name: "LogStoreFull",
      // https://github.com/VictoriaMetrics/VictoriaLogs/blob/v1.52.1/app/vlstorage/main.go
      when: "vl_storage_is_read_only == 1",
      for: "5m",
      severity: "ticket",
      summary: "The log store takes nothing more, since its volume is full.",
      action: "pulumi config set --path logs.storage, larger, or logs.retention, shorter.",
    });
    this.flows.push({ from: "operators", to: this, ports: [ports.victoriaLogs] });
    this.url = `http://${host}:${ports.victoriaLogs}`;
    this.registerOutputs({ url: this.url });
  }
}

/**
 * Four fifths of a volume, as a flag: what is being written and merged takes the rest.
 * @param storage a Kubernetes quantity
 */
export function diskLimit(storage: string): string {
  const [, size, unit] = /^([\d.]+)([KMGT]i)$/.exec(storage) ?? [];
  return `${Math.floor(Number(size) * 8) / 10}${unit}B`;
}
