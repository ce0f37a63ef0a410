import { ports } from "../names";
import { podIdentityAgent } from "../vendors";

/**
 * That pods of one app may open connections to another. Apps are named by their label; who is no
 * pod of this stack is `anywhere` (any address), `cluster` (any pod), `operators` (their networks) or `agent` (the node's EKS Pod Identity).
 */
export interface Flow {
  from: string;
  to: string;
  ports: number[];
  /** @default TCP */
  protocol?: "UDP";
}

/** What of the stack is elsewhere. */
export interface FlowsArgs {
  postgres: { managed: boolean };
  redis: { managed: boolean };
  /** Whether its bucket is made in AWS; the name of one there, or "". */
  objectStore: { managed: boolean; bucket: string };
  /** Apps that ask the node's agent for their role in AWS. */
  askingAgent: string[];
  /** URL that the weights are fetched from. */
  models: { endpoint: string };
  backups: { managed: boolean };
  /** `smarthost` is host:port of the server that takes mail. */
  monitoring: { alertmanager: boolean; receivers: string[]; email: { smarthost: string } };
  /**
   * Behind a tunnel nothing listens to the world; proxied, nginx serves TLS to it and plain HTTP to
   * the cluster alone.
   */
  cloudflare: { mode: "off" | "tunnel" | "proxied" };
}

const https = 443;
/** https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/configure-tunnels/tunnel-with-firewall/ */
const tunnelPort = 7844;

/** Every connection of the stack; what is not here is refused. The diagram of README.md, as data. */
export function stackFlows(args: FlowsArgs): Flow[] {
  const { mode } = args.cloudflare;
  const postgres = store("postgres", ports.postgres, args.postgres.managed, ports.postgres);
  const redis = store("redis", ports.redis, args.redis.managed, ports.redis);
  const { managed, bucket } = args.objectStore;
  const pictures = store("object-store", ports.s3, managed || !!bucket, https);
  const backups = store("object-store", ports.s3, args.backups.managed, https);
  const buckets = pictures.to === backups.to ? [pictures] : [pictures, backups];
  return [
    { from: mode === "off" ? "anywhere" : "cluster", to: "nginx", ports: [ports.nginx] },
    ...(mode === "proxied" ? [{ from: "anywhere", to: "nginx", ports: [ports.nginxTls] }] : []),
    ...(mode === "tunnel" ? tunnel : []),
    { from: "nginx", to: "api", ports: [ports.http] },
    ...[postgres, redis, pictures].flatMap((to) => [
      { from: "api", ...to },
      { from: "aigc-worker", ...to },
    ]),
    { from: "api-migrations", ...postgres },
    // A hub and its mirrors send large files from servers of their own.
    { from: "models", to: "anywhere", ports: [...new Set([https, portOf(args.models.endpoint)])] },
    ...[postgres, ...buckets].flatMap((to) => [
      { from: "backup", ...to },
      { from: "restore", ...to },
    ]),
    ...args.askingAgent.map((from) => ({ from, to: "agent", ports: [podIdentityAgent.port] })),
    ...["api", "aigc-worker", "prometheus"].map((to) => ({
      from: "prometheus",
      to,
      ports: [ports.metrics],
    })),
    { from: "operators", to: "prometheus", ports: [ports.prometheus] },
    ...(args.monitoring.alertmanager ? alerting(args.monitoring) : []),
    ...buckets
      .filter(({ to }) => to === "object-store")
      .map((to) => ({ from: "operators", ...to })),
  ];
}

const portOf = (url: string): number => {
  const { port, protocol } = new URL(url);
  return port ? Number(port) : protocol === "http:" ? 80 : https;
};

const cloudflared = "front-cloudflared";
const tunnel: Flow[] = [
  { from: cloudflared, to: "nginx", ports: [ports.nginx] },
  { from: cloudflared, to: "anywhere", ports: [https, tunnelPort] },
  { from: cloudflared, to: "anywhere", ports: [tunnelPort], protocol: "UDP" },
];

const alerting = ({ receivers, email }: FlowsArgs["monitoring"]): Flow[] => [
  { from: "prometheus", to: "alertmanager", ports: [ports.alertmanager] },
  {
    from: "alertmanager",
    to: "anywhere",
    ports: [https, ...(receivers.includes("email") ? [Number(email.smarthost.split(":")[1])] : [])],
  },
  { from: "operators", to: "alertmanager", ports: [ports.alertmanager] },
];

const store = (app: string, port: number, elsewhere: boolean, portThere: number) =>
  elsewhere ? { to: "anywhere", ports: [portThere] } : { to: app, ports: [port] };
