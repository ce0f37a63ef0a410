import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Availability, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { labels, ports, serviceHost } from "../names";
import type { Place } from "../network/flows";
import { graceSeconds, leaveSeconds } from "./deadlines";
import { type Certificate, certificateAlerts, certificateSecret, tlsOf } from "./nginxCertificate";
import { type NginxConfArgs, renderNginxConf } from "./nginxConf";
import { nginxAlerts, nginxExporter, nginxTarget } from "./nginxExporter";
import { publicPorts, tlsDirectory } from "./nginxListeners";
import { type NginxServiceArgs, nginxServices } from "./nginxServices";

export interface NginxIngressArgs
  extends ComponentArgs,
    Availability,
    Omit<NginxConfArgs, "tls" | "upstream">,
    Omit<NginxServiceArgs, "tls"> {
  namespace: string;
  /** By digest; nginx 1.27.3 or newer. */
  image: string;
  /** By digest; nginx/nginx-prometheus-exporter. @default Prometheus is told nothing of nginx */
  exporterImage?: string;
  /** The api's pods: their label, and a host name that resolves to one address each. */
  upstream: { app: string; host: string };
  /** Who its clients are; but for anywhere, all of them come by plain HTTP. */
  clients: Place;
  /**
   * Clients from outside reach it by TLS on port 443.
   * @default plain HTTP on port 80
   */
  certificate?: Certificate;
  resources: Resources;
}

const nginx = "nginx -e stderr -c /etc/nginx/conf/nginx.conf";
/**
 * nginx looks its resolver's name up at its start alone, and ends where DNS isn't there yet, as after
 * a node's restart; then the kubelet starts it ever less often.
 */
const startOnceDnsAnswers = `for _ in $(seq 30); do ${nginx} -t -q && break; sleep 1; done; exec ${nginx} -g 'daemon off;'`;
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
    const { namespace, certificate, upstream } = args;
    const tls = tlsOf(certificate);
    const open = publicPorts({ ...args, tls });
    this.app = name;
    const world = args.clients === "anywhere" ? Object.values(open) : [];
    if (!world.includes(ports.nginx)) {
      this.flows.push({ from: "cluster", to: this, ports: [ports.nginx] });
    }
    if (world.length > 0) this.flows.push({ from: "anywhere", to: this, ports: world });
    this.flows.push({ from: this, to: upstream, ports: [ports.http] });
    if (certificate) this.alerts.push(...certificateAlerts);
    const metadata = { name, namespace, labels: labels(name) };
    // Without a fixed name, a change makes a new ConfigMap and so rolls the pods.
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace },
        data: { "nginx.conf": renderNginxConf({ ...args, upstream: upstream.host, tls }) },
      },
      this.child,
    );
    const secretName =
      certificate && certificateSecret(name, { namespace, certificate }, this.child);
    if (args.exporterImage) {
      this.targets.push(nginxTarget(name, namespace, this.child));
      this.alerts.push(...nginxAlerts(name, args.replicas));
    }
    const service = nginxServices(name, metadata, { ...args, tls }, this.child);
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
                  command: ["sh", "-c", startOnceDnsAnswers],
                  ports: [
                    { name: "http", containerPort: ports.nginx },
                    ...Object.entries(open)
                      .filter(([, port]) => port !== ports.nginx)
                      .map(([scheme, port]) => ({ name: `public-${scheme}`, containerPort: port })),
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
                    ...(secretName
                      ? [{ name: "tls", mountPath: tlsDirectory, readOnly: true }]
                      : []),
                  ],
                },
                ...(args.exporterImage ? [nginxExporter(args.exporterImage)] : []),
              ],
              volumes: [
                { name: "config", configMap: { name: config.metadata.name } },
                scratch("tmp"),
                ...(secretName ? [{ name: "tls", secret: { secretName } }] : []),
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
