import * as cloudflare from "@pulumi/cloudflare";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Availability, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { labels, ports, serviceHost } from "../names";
import { https } from "../network/flows";
import type { Alert } from "../observability/alerts";
import { cloudflareWaitSeconds, tunnelDomain } from "../vendors";
import { graceSeconds, proxySeconds } from "./deadlines";

export interface CloudflareTunnelArgs extends ComponentArgs, Availability {
  accountId: pulumi.Input<string>;
  /** Host name that clients use. */
  hostname: string;
  /** The pods that the tunnel leads to: their label, and their URL inside the cluster. */
  origin: { app: string; url: string };
  namespace: string;
  /** By digest; cloudflared. */
  image: string;
  resources: Resources;
}

const uid = 65532;
/** https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/configure-tunnels/tunnel-with-firewall/ */
const edgePort = 7844;

/** https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/monitor-tunnels/metrics/ */
const connections = "cloudflared_tunnel_ha_connections";

const tunnelDown: Alert = {
  name: "TunnelDown",
  when: `sum(${connections}) == 0 or absent(${connections})`,
  for: "2m",
  severity: "page",
  summary: "No connection to Cloudflare: nobody outside is answered.",
  action: "kubectl logs -l app=front-cloudflared, and https://www.cloudflarestatus.com.",
};

/** A way in that is dialled from inside: the cluster needs no public address. */
export class CloudflareTunnel extends Component {
  readonly app: string;
  /** What the DNS record points at. */
  readonly target: pulumi.Output<string>;

  constructor(name: string, args: CloudflareTunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("CloudflareTunnel", name, args, opts);
    const { namespace, accountId } = args;
    this.app = name;
    const metadata = { name, namespace, labels: labels(name) };
    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      `${name}-tunnel`,
      { accountId, name: args.hostname, configSrc: "cloudflare" },
      this.child,
    );
    new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      `${name}-routes`,
      {
        accountId,
        tunnelId: tunnel.id,
        config: {
          ingresses: [
            { hostname: args.hostname, service: args.origin.url },
            { service: "http_status:404" },
          ],
        },
      },
      this.child,
    );
    const { token } = cloudflare.getZeroTrustTunnelCloudflaredTokenOutput(
      { accountId, tunnelId: tunnel.id },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      `${name}-token`,
      { metadata: { namespace }, stringData: { token: pulumi.secret(token) } },
      this.child,
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: labels(name),
          // Also of one that isn't connected, which is what they are looked at for.
          publishNotReadyAddresses: true,
          ports: [{ name: "metrics", port: ports.cloudflared }],
        },
      },
      this.child,
    );
    new k8s.apps.v1.Deployment(
      `${name}-connectors`,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: labels(name) },
          strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...restrictedPod(uid),
              topologySpreadConstraints: spread(labels(name)),
              terminationGracePeriodSeconds: graceSeconds(cloudflareWaitSeconds),
              containers: [
                {
                  ...restrictedContainer,
                  name: "cloudflared",
                  image: args.image,
                  args: [
                    // Open requests end before it goes.
                    ...["tunnel", "--no-autoupdate"],
                    ...["--grace-period", `${proxySeconds(cloudflareWaitSeconds)}s`],
                    ...["--metrics", `0.0.0.0:${ports.cloudflared}`, "run"],
                  ],
                  env: [
                    {
                      name: "TUNNEL_TOKEN",
                      valueFrom: { secretKeyRef: { name: secret.metadata.name, key: "token" } },
                    },
                  ],
                  ports: [{ name: "metrics", containerPort: ports.cloudflared }],
                  resources: args.resources,
                  // Ready once it is connected to Cloudflare.
                  readinessProbe: { httpGet: { path: "/ready", port: "metrics" } },
                  livenessProbe: { tcpSocket: { port: "metrics" }, failureThreshold: 6 },
                },
              ],
            },
          },
        },
      },
      this.child,
    );
    disruptionBudget(name, metadata, args, this.child);
    this.flows.push(
      { from: this, to: args.origin, ports: [ports.nginx] },
      { from: this, to: "anywhere", ports: [https, edgePort] },
      { from: this, to: "anywhere", ports: [edgePort], protocol: "UDP" },
    );
    this.alerts.push(tunnelDown);
    const host = serviceHost(name, namespace);
    this.targets.push({ job: "tunnel", app: name, host, port: ports.cloudflared });
    this.target = pulumi.interpolate`${tunnel.id}.${tunnelDomain}`;
    this.registerOutputs({ target: this.target });
  }
}
