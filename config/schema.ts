import { z } from "zod";
import { group } from "./fields";
import { api } from "./groups/api";
import { aws } from "./groups/aws";
import { backups } from "./groups/backups";
import { cloudflare } from "./groups/cloudflare";
import { build, images } from "./groups/images";
import { logs } from "./groups/logs";
import { models } from "./groups/models";
import { monitoring } from "./groups/monitoring";
import { nginx } from "./groups/nginx";
import { pods } from "./groups/pods";
import { retention } from "./groups/retention";
import { objectStore, postgres, redis } from "./groups/stores";
import { traces } from "./groups/traces";
import { workers } from "./groups/workers";

/**
 * Every key of the stack's configuration: type, default, meaning. Pulumi.yaml and
 * docs/configuration.md are rendered from here by `npm run config-docs`.
 *
 * A key whose default is "" or 0 is off, or chosen as its description says; one without a default
 * has to be set.
 */
export const schema = z.strictObject({
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a DNS label: a-z, 0-9 and -")
    .default("image-service")
    .describe("Kubernetes namespace that holds the whole stack"),
  infrastructure: z
    .string()
    .default("")
    .describe(
      "Stack whose output `configuration` fills what is left empty here, like organization/image-service-eks/prod",
    ),
  kubeconfig: z
    .string()
    .default("")
    .describe("Path of the kubeconfig file; empty: $KUBECONFIG or ~/.kube/config, as kubectl"),
  context: z
    .string()
    .default("")
    .describe("Context in the kubeconfig; needed unless kubeconfig is set, then its current one"),
  clusterDns: z
    .string()
    .default("kube-dns.kube-system.svc.cluster.local")
    .describe(
      "The cluster's DNS Service, NAME.NAMESPACE.svc.DOMAIN, or an address of dnsNetworks; nginx resolves the api's pods there",
    ),
  dnsNetworks: z
    .array(z.cidrv4("must be a network like 169.254.20.10/32"))
    .default(["169.254.20.10/32", "169.254.169.254/32"])
    .describe("Where pods find DNS besides clusterDns: NodeLocal DNSCache, and Cloud DNS of GKE"),
  dnsPort: z
    .int()
    .min(1)
    .max(65535)
    .default(53)
    .describe("Port of the pods behind clusterDns; 5353 on OpenShift"),
  podNetwork: z
    .cidrv4("must be a network like 10.244.0.0/16")
    .describe("Network of the cluster's pods; the api believes their word on a client's address"),
  operatorNetworks: z
    .array(z.cidrv4("must be a network like 192.0.2.0/24"))
    .default([])
    .describe("Networks from which Prometheus, Alertmanager and the object store may be looked at"),
  endpoint: z.url("must be a URL").describe("URL under which clients reach the service"),
  protect: z.boolean().default(true).describe("Refuse to delete or replace what holds data"),

  images: group("Container images, each by digest", images),
  build,
  pods,
  aws,
  cloudflare,
  api,
  workers,
  models,
  nginx,
  redis,
  postgres,
  objectStore,
  retention,
  backups,
  monitoring,
  logs,
  traces,
});
