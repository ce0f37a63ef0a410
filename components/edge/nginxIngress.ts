import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Availability, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { labels, ports, serviceHost } from "../names";
import type { Place } from "../network/flows";
import { graceSeconds, leaveSeconds } from "./deadlines";
import { type NginxConfArgs, renderNginxConf, tlsDirectory } from "./nginxConf";

export interface NginxIngressArgs
  extends ComponentArgs,
    Availability,
    Omit<NginxConfArgs, "tls" | "upstream"> {
  namespace: string;
  /** By digest; nginx 1.27.3 or newer. */
  image: string;
  /** The api's pods: their label, and a host name that resolves to one address each. */
  upstream: { app: string; host: string };
  /** Who may open plain HTTP to it. */
  clients: Place;
  /** How clients reach it: from inside the cluster, on every node, or at a cloud's load balancer. */
  serviceType: "ClusterIP" | "NodePort" | "LoadBalancer";
  /** Port on every node with type NodePort, 30000-32767; 0: Kubernetes chooses. */
  nodePort: number;
  /**
   * Clients reach it by TLS on port 443, and need a certificate that `clientCa` signed. All PEM.
   * @default plain HTTP on port 80
   */
  tls?: Record<"certificate" | "key" | "clientCa", pulumi.Input<string>>;
  resources: Resources;
}

const uid = 101;

/** Balances the api's pods by least connections. */
export class NginxIngress extends Component {
  readonly app: string;
  /** URL inside the cluster. */
  readonly url: string;
  /** Address that a cloud's load balancer got; "" with another type of Service. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: NginxIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NginxIngress", name, args, opts);
    const { namespace, tls, upstream } = args;
    this.app = name;
    this.flows.push({ from: args.clients, to: this, ports: [ports.nginx] });
    if (tls) this.flows.push({ from: "anywhere", to: this, ports: [ports.nginxTls] });
    this.flows.push({ from: this, to: upstream, ports: [ports.http] });
    const metadata = { name, namespace, labels: labels(name) };
    // Without a fixed name, a change makes a new ConfigMap and so rolls the pods.
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace },
        data: {
          "nginx.conf": renderNginxConf({
            ...args,
            upstream: upstream.host,
            tls: tls !== undefined,
          }),
        },
      },
      this.child,
    );
    const certificates =
      tls &&
      new k8s.core.v1.Secret(
        `${name}-certificates`,
        {
          metadata: { namespace },
          stringData: { "tls.crt": tls.certificate, "tls.key": tls.key, "ca.crt": tls.clientCa },
        },
        this.child,
      );
    const publicSpec = {
      type: args.serviceType,
      // Keeps the client's address.
      ...(args.serviceType === "ClusterIP" ? {} : { externalTrafficPolicy: "Local" }),
    };
    const nodePort = args.nodePort || undefined;
    const http = { name: "http", port: 80, targetPort: "http" };
    let service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          selector: labels(name),
          ...(tls ? { ports: [http] } : { ...publicSpec, ports: [{ ...http, nodePort }] }),
        },
      },
      this.child,
    );
    if (tls) {
      // Apart, so that nobody outside reaches the port without TLS.
      service = new k8s.core.v1.Service(
        `${name}-public`,
        {
          metadata: { ...metadata, name: `${name}-public` },
          spec: {
            ...publicSpec,
            selector: labels(name),
            ports: [{ name: "https", port: 443, targetPort: "https", nodePort }],
          },
        },
        this.child,
      );
    }
    new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: labels(name) },
          // Long enough for every node to have heard of the new pod before an old one goes.
          minReadySeconds: 5,
          strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...restrictedPod(uid),
              topologySpreadConstraints: spread(labels(name)),
              terminationGracePeriodSeconds: graceSeconds(args.maxWaitSeconds),
              containers: [
                {
                  ...restrictedContainer,
                  name: "nginx",
                  image: args.image,
                  command: [
                    "nginx",
                    "-e",
                    "stderr",
                    "-c",
                    "/etc/nginx/conf/nginx.conf",
                    "-g",
                    "daemon off;",
                  ],
                  ports: [
                    { name: "http", containerPort: ports.nginx },
                    ...(tls ? [{ name: "https", containerPort: ports.nginxTls }] : []),
                  ],
                  resources: args.resources,
                  // Takes part once it has reached the api: NetworkPolicies let a new pod through
                  // only when they have heard of it.
                  startupProbe: {
                    httpGet: { path: "/healthz", port: "http" },
                    periodSeconds: 1,
                    failureThreshold: 600,
                  },
                  readinessProbe: {
                    httpGet: { path: "/nginx-health", port: "http" },
                    periodSeconds: 5,
                  },
                  livenessProbe: {
                    httpGet: { path: "/nginx-health", port: "http" },
                    failureThreshold: 6,
                  },
                  // Endpoints forget the pod first; SIGQUIT then lets open requests end.
                  lifecycle: {
                    preStop: {
                      exec: {
                        command: [
                          "sh",
                          "-c",
                          `sleep ${leaveSeconds}; kill -QUIT 1; while [ -e /tmp/nginx.pid ]; do sleep 1; done`,
                        ],
                      },
                    },
                  },
                  volumeMounts: [
                    { name: "config", mountPath: "/etc/nginx/conf", readOnly: true },
                    { name: "tmp", mountPath: "/tmp" },
                    ...(certificates
                      ? [{ name: "tls", mountPath: tlsDirectory, readOnly: true }]
                      : []),
                  ],
                },
              ],
              volumes: [
                { name: "config", configMap: { name: config.metadata.name } },
                scratch("tmp"),
                ...(certificates
                  ? [{ name: "tls", secret: { secretName: certificates.metadata.name } }]
                  : []),
              ],
            },
          },
        },
      },
      this.child,
    );
    disruptionBudget(name, metadata, args, this.child);
    this.url = `http://${serviceHost(name, namespace)}`;
    this.address = service.status.apply((status) => {
      const [given] = status?.loadBalancer?.ingress ?? [];
      return given?.hostname ?? given?.ip ?? "";
    });
    this.registerOutputs({ url: this.url, address: this.address });
  }
}
