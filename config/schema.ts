import { z } from "zod";
import {
  availability,
  group,
  image,
  optionalImage,
  quantity,
  resources,
  toleration,
  volume,
} from "./fields";

/** By the part that runs them; rules.ts knows which may be left out. */
export const images = {
  api: optionalImage("Target `api` of docker/service; unless build.repository"),
  worker: optionalImage("Target `worker` of docker/service; unless build.repository"),
  nginx: image("nginx 1.27.3 or newer"),
  redis: optionalImage("Redis 8; unless redis.managed"),
  postgres: optionalImage("PostgreSQL 18; unless postgres.managed"),
  prometheus: image("Prometheus 3"),
  alertmanager: optionalImage("Alertmanager 0.28; with monitoring.alertmanager"),
  cloudflared: optionalImage("cloudflared; with cloudflare.mode tunnel"),
  objectStore: optionalImage("versitygw 1; unless objectStore.bucket and backups.managed"),
  backup: image("docker/backup"),
};

/** Models that need no revision: the one whose files are known by hash, and the one made by code. */
export const knownModels = {
  sdxl: "stabilityai/stable-diffusion-xl-base-1.0",
  tiny: "tiny-random-sdxl",
};

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
    .describe("Host name of the cluster's DNS Service; nginx resolves the api's pods there"),
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

  build: group("Builds the images of docker/service with the Docker of this machine", {
    repository: z
      .string()
      .default("")
      .describe("Where they are pushed, like registry.example/image-service; empty: images.*"),
    server: z.string().default("").describe("Its registry; empty: Docker Hub"),
    username: z
      .string()
      .default("")
      .describe("User of the registry; for ECR whoever runs the program"),
  }),

  pods: group("What the cluster asks of all pods", {
    pullSecrets: z
      .array(z.string())
      .default([])
      .describe(
        "Secrets of the namespace with passwords of the images' registries; build's is made",
      ),
  }),

  aws: group("Where AWS keeps what is managed", {
    region: z.string().default("").describe("Region, like eu-central-1"),
    vpcId: z.string().default("").describe("Network of the managed stores, like vpc-0a1b"),
    subnetIds: z
      .array(z.string())
      .default([])
      .describe("Private subnets of it, in two availability zones or more"),
    oidcProviderArn: z
      .string()
      .default("")
      .describe("The cluster's identity provider in IAM, for pods without keys; empty: keys"),
    oidcIssuer: z
      .string()
      .default("")
      .describe("Host and path of its issuer, without https://; with oidcProviderArn"),
    applyImmediately: z
      .boolean()
      .default(false)
      .describe(
        "Change managed stores at once, with a short outage; false: in their maintenance window",
      ),
    tags: z
      .record(z.string(), z.string())
      .default({})
      .describe("Tags of everything that is made in AWS, such as for its bills"),
    clientNetworks: z
      .array(z.cidrv4("must be a network like 10.0.0.0/16"))
      .default([])
      .describe("Networks of the cluster's nodes and pods, which may reach the managed stores"),
  }),

  cloudflare: group("What stands before nginx", {
    mode: z
      .enum(["off", "tunnel", "proxied"])
      .default("off")
      .describe("A tunnel that the cluster dials, or proxied DNS to nginx's load balancer"),
    accountId: z.string().default("").describe("Account"),
    zoneId: z.string().default("").describe("Zone that endpoint is a host in"),
    plan: z
      .enum(["free", "pro", "business", "enterprise"])
      .default("free")
      .describe("The zone's plan, which decides what rules it can have"),
    zoneRules: z
      .boolean()
      .default(true)
      .describe(
        "Make the zone's settings and rules; false: another stack in the zone has made them",
      ),
    rateLimit: z
      .int()
      .min(1)
      .default(60)
      .describe("Requests for pictures a minute from one address that Cloudflare lets through"),
    tunnel: group("The pods that dial", {
      ...availability(2),
      resources: resources("50m", "64Mi", "256Mi"),
    }),
  }),

  api: group("The pods that answer HTTP", {
    ...availability(2),
    maxWaitSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(295)
      .describe("Longest wait for a picture in one request, in seconds; 90 behind Cloudflare"),
    rateLimit: z
      .string()
      .regex(/^\d+\/minute$/, "must be like 10/minute")
      .default("10/minute")
      .describe("Requests for pictures from one client address"),
    corsOrigins: z
      .array(
        z.string().regex(/^(\*|https?:\/\/[^/\s,]+)$/, "must be like https://app.example, or *"),
      )
      .default([])
      .describe("Origins of web pages that may call the api from a browser, or *; empty: none"),
    resources: resources("100m", "128Mi", "512Mi"),
  }),

  workers: group("The pods that draw, one GPU each", {
    ...availability(4),
    model: z
      .string()
      .regex(/^(tiny-random-sdxl|\w[\w.-]*\/\w[\w.-]*)$/, "must be a repository like OWNER/NAME")
      .default(knownModels.sdxl)
      .describe(
        "Repository of an SDXL pipeline, in diffusers' form with safetensors; or tiny-random-sdxl, made by code",
      ),
    threads: z.int().min(0).default(0).describe("CPU threads of the model; 0: one per core"),
    compiledSizes: z
      .array(z.string().regex(/^\d+x\d+$/, "must be WIDTHxHEIGHT like 1024x1024"))
      .default(["1024x1024"])
      .describe("Sizes that the model is compiled for at the start, the quickest to draw"),
    precision: z
      .enum(["half", "fp8"])
      .default("half")
      .describe("fp8 is quicker on the newest GPUs and changes pictures slightly"),
    stepCache: z
      .boolean()
      .default(false)
      .describe("Skip what hardly changes between steps: quicker, changes pictures slightly"),
    promptWeights: z
      .boolean()
      .default(false)
      .describe("(word:1.3) in a prompt makes the word count more; else it is plain text"),
    nodeSelector: z
      .record(z.string(), z.string())
      .default({})
      .describe("Labels of the nodes that may run them, besides having a GPU"),
    tolerations: z
      .array(toleration)
      .default([{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }])
      .describe("Taints of nodes that they put up with"),
    runtimeClass: z
      .string()
      .default("")
      .describe("RuntimeClass that gives GPUs, such as nvidia; empty: the nodes' default runtime"),
    resources: resources("1", "11Gi", "24Gi"),
  }),

  models: group("Where the weights come from, and the volume that holds them", {
    endpoint: z
      .url({ protocol: /^https?$/, error: "must be a URL like https://mirror.example" })
      .default("https://huggingface.co")
      .describe("The hub that they are fetched from, or a mirror of it"),
    revision: z
      .string()
      .regex(/^([0-9a-f]{40})?$/, "must be a commit: 40 hex digits")
      .default("")
      .describe("Commit of workers.model's repository; may be empty for the default model"),
    ...volume("30Gi"),
    accessMode: z
      .enum(["ReadWriteMany", "ReadWriteOnce"])
      .default("ReadWriteMany")
      .describe("ReadWriteOnce is enough where all workers run on one node"),
    resources: resources("500m", "1Gi", "4Gi"),
  }),

  nginx: group("The load balancer", {
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
    maxBody: z
      .string()
      .regex(/^\d+[km]$/, "must be like 64k or 1m")
      .default("512k")
      .describe("Largest body of a request; the api takes 512k, which the longest prompts need"),
    resources: resources("50m", "64Mi", "256Mi"),
  }),

  redis: group("The queue and the rate limits", {
    managed: z.boolean().default(false).describe("ElastiCache instead of a pod"),
    nodeType: z.string().default("cache.t4g.small").describe("With managed"),
    ...volume("5Gi"),
    resources: resources("50m", "128Mi", "384Mi"),
  }),

  postgres: group("The task records", {
    managed: z.boolean().default(false).describe("RDS in two zones instead of a pod"),
    instanceClass: z.string().default("db.t4g.medium").describe("With managed"),
    ...volume("20Gi"),
    resources: resources("100m", "256Mi", "1Gi"),
  }),

  objectStore: group("The pictures", {
    bucket: z
      .string()
      .default("")
      .describe("A bucket of AWS instead of a pod; its key may read, write, list and delete"),
    ...volume("100Gi"),
    resources: resources("50m", "64Mi", "512Mi"),
  }),

  backups: group("The nightly backup", {
    schedule: z
      .string()
      .regex(/^(\S+ ){4}\S+$/, "must be cron's five fields, like 0 2 * * *")
      .default("0 2 * * *")
      .describe("When, in cron's five fields"),
    timeZone: z
      .string()
      .refine((zone) => [...Intl.supportedValuesOf("timeZone"), "Etc/UTC"].includes(zone), {
        error: "must be an IANA time zone like Europe/Berlin",
      })
      .default("Etc/UTC")
      .describe("Whose clock the schedule follows"),
    scratch: quantity("10Gi").describe("Room for one dump of the database"),
    managed: z
      .boolean()
      .default(false)
      .describe("A locked bucket of AWS instead of one in the cluster, which dies with it"),
    lockDays: z.int().min(1).default(14).describe("Days in which nobody deletes a backup"),
    keepDays: z.int().min(1).default(35).describe("Days that a dump is kept"),
    resources: resources("50m", "64Mi", "512Mi"),
  }),

  monitoring: group("Prometheus and Alertmanager", {
    alertmanager: z
      .boolean()
      .default(true)
      .describe("Send alerts to receivers; else Prometheus only shows them"),
    receivers: z
      .array(z.enum(["webhook", "slack", "pagerduty", "email"]))
      .min(1, "must name one at least")
      .default(["webhook"])
      .describe("Who is told: webhook, slack, pagerduty and email, each with its secret"),
    email: group("Mail of receivers email", {
      to: z.string().default("").describe("Addresses that are told, with commas between"),
      from: z.string().default("").describe("Address that it comes from"),
      smarthost: z
        .string()
        .regex(/^([^\s:]+:\d+)?$/, "must be HOST:PORT like smtp.example.com:587")
        .default("")
        .describe("Server that takes it, with STARTTLS, or TLS at port 465"),
      username: z.string().default("").describe("User there, with the secret smtpPassword"),
    }),
    retention: z
      .string()
      .regex(/^\d+[hdwy]$/, "must be like 15d")
      .default("15d")
      .describe("How long samples are kept"),
    ...volume("20Gi"),
    resources: resources("100m", "256Mi", "1Gi"),
    alertmanagerResources: resources("10m", "64Mi", "256Mi"),
  }),
});

/** Keys that are set with `pulumi config set --secret`: what each is. */
export const secrets = {
  apiSecret: "The operator's key, for `Authorization: Bearer`",
  databasePassword: "Password of the database's one user",
  redisPassword: "Password of Redis",
  s3AccessKeyId: "Access key of the object store or of objectStore.bucket",
  s3SecretAccessKey: "Its secret half",
  registryPassword: "Password of build.username; with build.repository, unless that is ECR",
  cloudflareApiToken: "Token that may edit the zone and the tunnel; with cloudflare.mode",
  originCertificate: "PEM of nginx's certificate; with cloudflare.mode proxied",
  originKey: "PEM of its key; with cloudflare.mode proxied",
  pullCertificate:
    "PEM of the certificate that Cloudflare shows nginx; with cloudflare.mode proxied",
  pullKey: "PEM of its key; with cloudflare.mode proxied",
  pullCa: "PEM of the CA that signed it; with cloudflare.mode proxied",
  alertWebhook: "URL that is sent alerts, in Alertmanager's format; with receivers webhook",
  slackWebhook: "URL of Slack's incoming webhook, which knows its channel; with receivers slack",
  pagerdutyKey: "Key of a PagerDuty service's Events API v2; with receivers pagerduty",
  smtpPassword: "Password of monitoring.email.username; with receivers email",
};
