import { z } from "zod";
import { availability, group, resources } from "../fields";

export const nginx = group("The load balancer", {
  ...availability(2),
  serviceType: z
    .enum(["ClusterIP", "NodePort", "LoadBalancer"])
    .default("ClusterIP")
    .describe("How clients reach nginx: within the cluster, on every node, or by a cloud's"),
  nodePort: z
    .int()
    .max(32767)
    .default(0)
    .describe("Port on every node, 30000-32767; 0: Kubernetes chooses; only with NodePort"),
  serviceAnnotations: z
    .record(z.string(), z.string())
    .default({})
    .describe("Annotations of the Service that clients reach, for who makes its load balancer"),
  loadBalancerClass: z
    .string()
    .default("")
    .describe(
      "Who makes the load balancer, like service.k8s.aws/nlb; empty: the cluster's default",
    ),
  proxyProtocol: z
    .boolean()
    .default(false)
    .describe("The load balancer sends PROXY headers, of version 1 or 2"),
  trustedProxies: z
    .array(z.cidrv4("must be a network like 10.0.0.0/16"))
    .default([])
    .describe(
      "Networks before nginx whose X-Forwarded-For, or PROXY header, is believed; with cloudflare.mode off",
    ),
  tls: group("The certificate of endpoint; with cloudflare.mode off", {
    secretName: z
      .string()
      .default("")
      .describe("Secret of type kubernetes.io/tls that is in the namespace; empty: none"),
    issuer: z
      .string()
      .default("")
      .describe("ClusterIssuer of cert-manager, which has to be in the cluster; empty: none"),
  }),
  maxBody: z
    .string()
    .regex(/^\d+[km]$/, "must be like 64k or 1m")
    .default("512k")
    .describe("Largest body of a request; the api takes 512k, which the longest prompts need"),
  resources: resources("50m", "64Mi", "256Mi"),
});
