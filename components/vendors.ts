/**
 * What other people's programs and services take and sell, each with where they say so. It holds
 * no choice of ours; test/unit/vendors.test.ts holds what is declared against it.
 */

/** https://github.com/cloudflare/cloudflared/blob/2026.8.2/connection/connection.go, MaxGracePeriod */
export const cloudflaredMaxGraceSeconds = 180;

/**
 * Host of an ECR registry, whose password lives 12 hours; the nodes of EKS fetch from it by their role.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */
export const ecrHost = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/;

/**
 * Host of a repository's registry, "" for Docker Hub, told apart from a first folder as Docker does.
 * https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain
 */
export function registryHost(repository: string): string {
  const [first = "", ...folders] = repository.split("/");
  return folders.length > 0 && /[.:]|^localhost$/.test(first) ? first : "";
}

/**
 * Under what Docker looks for the password of its Hub.
 * https://github.com/docker/cli/blob/v28.5.1/cli/config/credentials/file_store.go
 */
export const dockerHub = "https://index.docker.io/v1/";

/**
 * ARN of a cluster of EKS, by which `aws eks update-kubeconfig` names the context: region and name.
 * https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html
 */
export const eksClusterArn = /^arn:[\w-]+:eks:([\w-]+):\d{12}:cluster\/([\w-]+)$/;

/**
 * ARN of an identity provider in IAM, which ends with its issuer's host and path.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
 */
export const oidcProviderArn = /^arn:[\w-]+:iam::\d{12}:oidc-provider\/(\S+)$/;

/**
 * Annotation of a service account whose pods take on a role.
 * https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
 */
export const roleAnnotation = "eks.amazonaws.com/role-arn";

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html, of the tokens that pods get */
export const stsAudience = "sts.amazonaws.com";

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html */
export const podIdentityService = "pods.eks.amazonaws.com";

/**
 * Where the agent of EKS Pod Identity listens, on each node.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
 */
export const podIdentityAgent = { networks: ["169.254.170.23/32", "fd00:ec2::23/128"], port: 80 };

/**
 * Partition of a region, which an ARN begins with.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
 */
export const awsPartition = (region: string) =>
  region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";

/** https://docs.aws.amazon.com/general/latest/gr/s3.html, and of China's regions its counterpart there */
export const s3Url = (region: string) =>
  `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;

/**
 * Memory that GKE, which keeps most for itself, leaves to pods of a node with 16 GiB, in GiB.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes
 */
export const allocatableOf16GiB = 16 - 0.25 * 4 - 0.2 * 4 - 0.1 * 8 - 0.1;

/** What a Cloudflare plan has of the rules that this stack makes. */
export interface CloudflarePlan {
  /** Whether their managed ruleset can be executed; the plan without it has a smaller one by itself. */
  managedRuleset: boolean;
  /** Fields in the expression of a rate limit, besides the path. */
  rateLimitFields: ("http.host" | "http.request.method")[];
  /** The longest period over which a rate limit counts, and for which it blocks, up to a minute. */
  rateLimitSeconds: 10 | 60;
  /** Shortest time, in seconds, that a cache rule can make them keep an answer. */
  minimumEdgeTtl: number;
}

/**
 * https://developers.cloudflare.com/waf/managed-rules/#availability
 * https://developers.cloudflare.com/waf/rate-limiting-rules/#availability
 * https://developers.cloudflare.com/cache/how-to/edge-browser-cache-ttl/
 */
export const cloudflarePlans = {
  free: {
    managedRuleset: false,
    rateLimitFields: [],
    rateLimitSeconds: 10,
    minimumEdgeTtl: 7200,
  },
  pro: {
    managedRuleset: true,
    rateLimitFields: ["http.host"],
    rateLimitSeconds: 60,
    minimumEdgeTtl: 3600,
  },
  business: {
    managedRuleset: true,
    rateLimitFields: ["http.host", "http.request.method"],
    rateLimitSeconds: 60,
    minimumEdgeTtl: 1,
  },
  enterprise: {
    managedRuleset: true,
    rateLimitFields: ["http.host", "http.request.method"],
    rateLimitSeconds: 60,
    minimumEdgeTtl: 1,
  },
} satisfies Record<string, CloudflarePlan>;

/**
 * Cloudflare's own rules, which they keep up to date: the same id in each zone.
 * https://developers.cloudflare.com/waf/managed-rules/
 */
export const cloudflareManagedRuleset = "efb7b8c949ac4650a09736fc376e9aee";

/**
 * Under what a tunnel's id is the host that its DNS record names.
 * https://developers.cloudflare.com/tunnel/advanced/dns-records/
 */
export const tunnelDomain = "cfargotunnel.com";

/**
 * Longest wait behind Cloudflare, which gives an answer up after 120 s:
 * https://developers.cloudflare.com/fundamentals/reference/connection-limits/
 */
export const cloudflareWaitSeconds = 90;

/**
 * Whether a Service gets a Network Load Balancer of AWS: by the AWS Load Balancer Controller, or by
 * EKS Auto Mode. Without a class both may set their own.
 * https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/
 * https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html
 */
export const isNlb = (loadBalancerClass: string, annotations: Record<string, string>) =>
  ["service.k8s.aws/nlb", "eks.amazonaws.com/nlb"].includes(loadBalancerClass) ||
  Object.keys(annotations).some((name) => name.startsWith(nlbAnnotation("")));

/** https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/ */
export const nlbAnnotation = (suffix: string) =>
  `service.beta.kubernetes.io/aws-load-balancer-${suffix}`;

/**
 * What an NLB does by a Service's annotations.
 * https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/service/model_build_target_group.go
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
 */
export function readNlb(annotations: Record<string, string>) {
  const value = (suffix: string) => annotations[nlbAnnotation(suffix)];
  const attributes =
    value("target-group-attributes")
      ?.trim()
      .split(/[\s,]+/) ?? [];
  const kept = attributes.find((attribute) => attribute.startsWith("preserve_client_ip.enabled="));
  return {
    /** Of its target groups, `name=value` each. */
    attributes,
    internetFacing: value("scheme") === "internet-facing",
    proxyProtocol:
      value("proxy-protocol") === "*" || attributes.includes("proxy_protocol_v2.enabled=true"),
    /** By default for instances, not for addresses of pods. */
    keepsClientAddress: kept ? kept.endsWith("=true") : value("nlb-target-type") !== "ip",
  };
}

/** https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer */
export const isGkeClass = (loadBalancerClass: string) =>
  loadBalancerClass.startsWith("networking.gke.io/");
/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** Of a Kubernetes quantity of memory with its unit. */
export const bytes = (quantity: string): number =>
  Number.parseFloat(quantity) * units[quantity.slice(-2) as keyof typeof units];

/**
 * Connections that PostgreSQL can hold in so much memory, a Kubernetes quantity. One that has run the
 * service's statements keeps 2.8 MiB for itself, 4.4 at most (PostgreSQL 15, Private_* in smaps_rollup);
 * the rest is for what they share.
 */
export const postgresConnections = (memory: string): number =>
  Math.floor(bytes(memory) / (5 * units.Mi));

/**
 * What RDS and ElastiCache both take for a password, as far as a URL takes it unescaped.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html, MasterUserPassword
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
 */
export const storePassword = /^[A-Za-z0-9]{16,128}$/;

/**
 * Family of the parameters of a version's major.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheParameterGroup.html
 */
export const parameterFamily = (engine: "postgres" | "valkey", version: string) =>
  `${engine}${Number.parseInt(version, 10)}`;

/** Least disk of RDS, gp3: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html */
export const rdsMinimumGiB = 20;

/** Memory of instances of RDS, in GiB, by family and size: https://aws.amazon.com/rds/instance-types/ */
const rdsMemory: Record<string, number> = {
  "t.micro": 1,
  "t.small": 2,
  "t.medium": 4,
  "t.large": 8,
  "t.xlarge": 16,
  "t.2xlarge": 32,
  "m.large": 8,
  "m.xlarge": 16,
  "m.2xlarge": 32,
  "r.large": 16,
  "r.xlarge": 32,
};

/**
 * Connections that RDS surely gives an instance class: LEAST({DBInstanceClassMemory/9531392}, 5000), where
 * that memory is less than the instance's (t2.small gives 198, t2.medium 413, m4.large 856).
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 * @returns undefined for classes that are not known here
 */
export function rdsConnections(instanceClass: string): number | undefined {
  const [, family, size] = /^db\.([tmr])\d\w*\.(\w+)$/.exec(instanceClass) ?? [];
  const gib = rdsMemory[`${family}.${size}`];
  return gib && Math.floor(Math.min(107 * gib - 30, 5000));
}
