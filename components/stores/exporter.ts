import { createHmac } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { exporterResources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { labels, serviceHost } from "../names";
import type { Server } from "../network/flows";
import type { Alert } from "../observability/alerts";

export interface ExporterArgs extends ComponentArgs {
  namespace: string;
  /** By digest. */
  image: string;
  command: string[];
  port: number;
  /** Path that answers 200 whether or not the store does. */
  readyPath: string;
  /** How it reaches the store, secret. */
  env: Record<string, pulumi.Input<string>>;
  /** What has to end well before it starts, with more rights than it has. @default nothing */
  before?: {
    image: pulumi.Input<string>;
    command: string[];
    /** Secret. */
    env: Record<string, pulumi.Input<string>>;
  };
  server: Server;
  alerts: Alert[];
}

const uid = 65534;

/** The user of a store that may look and do nothing else. */
export const onlooker = "monitoring";

/** Its password: one that follows from the owner's, and from which that can't be had. */
export const onlookerPassword = (owners: pulumi.Input<string>): pulumi.Output<string> =>
  pulumi.secret(
    pulumi.output(owners).apply((key) => createHmac("sha256", key).update(onlooker).digest("hex")),
  );

/** A store in somebody else's words, for Prometheus. */
export abstract class Exporter extends Component {
  readonly app: string;

  constructor(
    kind: string,
    name: string,
    args: ExporterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(kind, name, args, opts);
    const { namespace, port, before } = args;
    this.app = name;
    const metadata = { name, namespace, labels: labels(name) };
    const envFrom = (secret: string, stringData: ExporterArgs["env"]) => [
      {
        secretRef: {
          name: new k8s.core.v1.Secret(
            `${name}-${secret}`,
            { metadata: { namespace }, stringData },
            this.child,
          ).metadata.name,
        },
      },
    ];
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: { clusterIP: "None", selector: labels(name), ports: [{ name: "metrics", port }] },
      },
      this.child,
    );
    new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: labels(name) },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...restrictedPod(uid),
              initContainers: before && [
                {
                  ...restrictedContainer,
                  name: "before",
                  image: before.image,
                  command: before.command,
                  envFrom: envFrom("before", before.env),
                  resources: exporterResources,
                },
              ],
              containers: [
                {
                  ...restrictedContainer,
                  name: "exporter",
                  image: args.image,
                  command: args.command,
                  envFrom: envFrom("environment", args.env),
                  ports: [{ name: "metrics", containerPort: port }],
                  resources: exporterResources,
                  readinessProbe: { httpGet: { path: args.readyPath, port: "metrics" } },
                  livenessProbe: { tcpSocket: { port: "metrics" }, failureThreshold: 6 },
                },
              ],
            },
          },
        },
      },
      this.child,
    );
    this.targets.push({ job: name, app: name, host: serviceHost(name, namespace), port });
    this.alerts.push(...args.alerts);
    this.flows.push({ from: this, ...args.server });
    this.registerOutputs();
  }
}
