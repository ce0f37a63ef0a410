import { ports } from "./names";

/** Who is no pod of this stack: any address; any pod of the cluster; the operators' networks. */
export type Elsewhere = "anywhere" | "cluster" | "operators";

/** That pods of one app may open connections to another. Apps are named by their label. */
export interface Flow {
  from: string;
  to: string;
  ports: number[];
  /** @default TCP */
  protocol?: "UDP";
}

export interface FlowsArgs {
  /** Stores that are not pods of this stack but servers of AWS. */
  managed: { postgres: boolean; redis: boolean; pictures: boolean; backups: boolean };
  /** nginx serves TLS to the world; plain HTTP then stays in the cluster. */
  tls: boolean;
  /** Cloudflare's tunnel brings all requests, so that nothing listens to the world. */
  tunnel: boolean;
}

const https = 443;
/** https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/configure-tunnels/tunnel-with-firewall/ */
const tunnelPort = 7844;

/** Every connection of the stack; what is not here is refused. The diagram of README.md, as data. */
export function stackFlows({ managed, tls, tunnel }: FlowsArgs): Flow[] {
  const postgres = store("postgres", managed.postgres, ports.postgres, ports.postgres);
  const redis = store("redis", managed.redis, ports.redis, ports.redis);
  const pictures = store("object-store", managed.pictures, ports.s3, https);
  const backups = store("object-store", managed.backups, ports.s3, https);
  const buckets = managed.pictures === managed.backups ? [pictures] : [pictures, backups];
  return [
    { from: tls || tunnel ? "cluster" : "anywhere", to: "nginx", ports: [ports.nginx] },
    ...(tls ? [{ from: "anywhere", to: "nginx", ports: [ports.nginxTls] }] : []),
    ...(tunnel ? cloudflared : []),
    { from: "nginx", to: "api", ports: [ports.http] },
    ...[postgres, redis, pictures].flatMap((to) => [
      { from: "api", ...to },
      { from: "aigc-worker", ...to },
    ]),
    { from: "api-migrations", ...postgres },
    { from: "models", to: "anywhere", ports: [https] },
    ...[postgres, ...buckets].flatMap((to) => [
      { from: "backup", ...to },
      { from: "restore", ...to },
    ]),
    ...["api", "aigc-worker", "prometheus"].map((to) => ({
      from: "prometheus",
      to,
      ports: [ports.metrics],
    })),
    { from: "prometheus", to: "alertmanager", ports: [ports.alertmanager] },
    { from: "alertmanager", to: "anywhere", ports: [https] },
    { from: "operators", to: "prometheus", ports: [ports.prometheus] },
    { from: "operators", to: "alertmanager", ports: [ports.alertmanager] },
    ...buckets
      .filter(({ to }) => to === "object-store")
      .map((to) => ({ from: "operators", ...to })),
  ];
}

const cloudflared: Flow[] = [
  { from: "cloudflared", to: "nginx", ports: [ports.nginx] },
  { from: "cloudflared", to: "anywhere", ports: [https, tunnelPort] },
  { from: "cloudflared", to: "anywhere", ports: [tunnelPort], protocol: "UDP" },
];

const store = (app: string, managed: boolean, port: number, managedPort: number) =>
  managed ? { to: "anywhere", ports: [managedPort] } : { to: app, ports: [port] };
