import * as k8s from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { labels, ports } from "../names";
import { type ListenerArgs, publicPorts } from "./nginxListeners";

export interface NginxServiceArgs extends ListenerArgs {
  /** How clients reach it: from inside the cluster, on every node, or at a load balancer. */
  serviceType: "ClusterIP" | "NodePort" | "LoadBalancer";
  /** Port on every node with type NodePort, 30000-32767, for HTTPS if there is; 0: Kubernetes chooses. */
  nodePort: number;
  /** Annotations of the Service that clients from outside reach. */
  serviceAnnotations: Record<string, string>;
  /** Controller that makes the load balancer; "": the cluster's default. */
  loadBalancerClass: string;
}

/** Makes nginx's Services. @returns the one that clients from outside reach */
export function nginxServices(
  name: string,
  metadata: { name: string; namespace: string; labels: Record<string, string> },
  args: NginxServiceArgs,
  opts: CustomResourceOptions,
): k8s.core.v1.Service {
  const selector = labels(name);
  const nodePort = args.nodePort || undefined;
  const inside = { name: "http", port: 80, targetPort: "http" };
  const outside = {
    type: args.serviceType,
    externalTrafficPolicy: trafficPolicy(args),
    loadBalancerClass: args.loadBalancerClass || undefined,
    selector,
  };
  const annotations = args.serviceAnnotations;
  const annotated = Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata;
  // The API server refuses a Service whose class changes.
  const options = {
    ...opts,
    replaceOnChanges: ["spec.loadBalancerClass"],
    deleteBeforeReplace: true,
  };
  const { http, https } = publicPorts(args);
  if (http === ports.nginx) {
    return new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: annotated, spec: { ...outside, ports: [{ ...inside, nodePort }] } },
      options,
    );
  }
  new k8s.core.v1.Service(
    `${name}-service`,
    { metadata, spec: { selector, ports: [inside] } },
    opts,
  );
  // Apart, so that nobody outside reaches the port that is for pods.
  return new k8s.core.v1.Service(
    `${name}-public`,
    {
      metadata: { ...annotated, name: `${name}-public` },
      spec: {
        ...outside,
        ports: [
          ...(https ? [{ name: "https", port: 443, targetPort: https, nodePort }] : []),
          ...(http
            ? [{ name: "http", port: 80, targetPort: http, nodePort: https ? undefined : nodePort }]
            : []),
        ],
      },
    },
    options,
  );
}

/**
 * `Local` keeps the client's address in the connection. At a load balancer that isn't needed where
 * something else tells it: every node takes part then; and with PROXY headers `Local` would fail,
 * since they are sent to kube-proxy's health check too, which can't read them.
 * https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
 * https://github.com/kubernetes/ingress-nginx/issues/10982
 */
function trafficPolicy({ serviceType, proxyProtocol, tls }: NginxServiceArgs) {
  if (serviceType === "ClusterIP") return undefined;
  const told = proxyProtocol || tls === "cloudflare";
  return serviceType === "LoadBalancer" && told ? "Cluster" : "Local";
}
