import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Availability, disruptionBudget, spread } from "./availability";
import { Component, type ComponentArgs } from "./component";
import { labels, ports, serviceHost } from "./names";
import { type NginxConfArgs, renderNginxConf } from "./nginxConf";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "./pods";

export interface NginxIngressArgs extends ComponentArgs, Availability, NginxConfArgs {
  namespace: string;
  /** By digest; nginx 1.27.3 or newer. */
  image: string;
  /** How clients reach it: from inside the cluster, on every node, or at a cloud's load balancer. */
  serviceType: "ClusterIP" | "NodePort" | "LoadBalancer";
  /** Port on every node with type NodePort, 30000-32767; 0: Kubernetes chooses. */
  nodePort: number;
  resources: Resources;
}

const uid = 101;

/** Balances the api's pods by least connections. */
export class NginxIngress extends Component {
  /** URL inside the cluster. */
  readonly url: string;

  constructor(name: string, args: NginxIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NginxIngress", name, args, opts);
    const { namespace } = args;
    const metadata = { name, namespace, labels: labels(name) };
    // Without a fixed name, a change makes a new ConfigMap and so rolls the pods.
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata: { namespace }, data: { "nginx.conf": renderNginxConf(args) } },
      this.child,
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          type: args.serviceType,
          selector: labels(name),
          ports: [
            { name: "http", port: 80, targetPort: "http", nodePort: args.nodePort || undefined },
          ],
          // Keeps the client's address.
          ...(args.serviceType === "ClusterIP" ? {} : { externalTrafficPolicy: "Local" }),
        },
      },
      this.child,
    );
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
              terminationGracePeriodSeconds: 320,
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
                  ports: [{ name: "http", containerPort: ports.nginx }],
                  resources: args.resources,
                  startupProbe: {
                    httpGet: { path: "/nginx-health", port: "http" },
                    periodSeconds: 1,
                    failureThreshold: 60,
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
                          "sleep 10; kill -QUIT 1; while [ -e /tmp/nginx.pid ]; do sleep 1; done",
                        ],
                      },
                    },
                  },
                  volumeMounts: [
                    { name: "config", mountPath: "/etc/nginx/conf", readOnly: true },
                    { name: "tmp", mountPath: "/tmp" },
                  ],
                },
              ],
              volumes: [
                { name: "config", configMap: { name: config.metadata.name } },
                scratch("tmp"),
              ],
            },
          },
        },
      },
      this.child,
    );
    disruptionBudget(name, metadata, args, this.child);
    this.url = `http://${serviceHost(name, namespace)}`;
    this.registerOutputs({ url: this.url });
  }
}
