import type { Identity } from "../kubernetes/serviceAccount";
import { podIdentityAgent } from "../vendors";

/**
 * Who is no pod of this stack: any address, any pod of the cluster, the operators' networks, or the
 * node's agent of EKS Pod Identity.
 */
export type Place = "anywhere" | "cluster" | "operators" | "agent";

/** An end of a connection: the pods of an app, all pods of another namespace, or who is none of them. */
export type Peer = { app: string } | { namespace: string } | Place;

/**
 * That one may open connections to another; what no flow allows is refused. A component declares
 * those that its own pods open, and those that a place opens to them.
 */
export interface Flow {
  from: Peer;
  to: Peer;
  ports: number[];
  /** @default TCP */
  protocol?: "UDP";
}

/** What others open connections to, wherever it runs. */
export type Server = Pick<Flow, "to" | "ports">;

export const https = 443;

/** Of Kubernetes' API, on the nodes where it runs; a Service hands on from 443. */
export const apiServer = [https, 6443];

/** A server that is no pod of this stack, such as one of AWS. */
export const elsewhere = (port: number): Server => ({ to: "anywhere", ports: [port] });

/** Of a Service, by its host NAME.NAMESPACE.svc or NAME.NAMESPACE.svc.DOMAIN; undefined: it is none. */
export const namespaceOf = (host: string): string | undefined =>
  /^[^.]+\.([^.]+)\.svc(\.|$)/.exec(host)?.[1];

/** What a URL names: a Service, whose port is that of its pods, or a server elsewhere. */
export function serverAt(url: string): Server {
  const { protocol, hostname, port } = new URL(url);
  const server = elsewhere(Number(port) || (protocol === "https:" ? https : 80));
  const namespace = namespaceOf(hostname);
  return namespace ? { ...server, to: { namespace } } : server;
}

/** How pods take on their role, where no annotation gives it to them. */
export const toAgent = (from: { app: string }, identity?: Identity): Flow[] =>
  identity && !identity.annotated ? [{ from, to: "agent", ports: [podIdentityAgent.port] }] : [];
