import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../../config";
import { images as imageNames } from "../../../config/groups/images";
import { secrets as secretNames } from "../../../config/secrets";

const image = `registry.example/image@sha256:${"0".repeat(64)}`;
const images = Object.fromEntries(Object.keys(imageNames).map((name) => [name, image]));
const secrets: Record<string, string> = Object.fromEntries(
  Object.keys(secretNames).map((name) => [name, `the${name}`]),
);
const whole: Record<string, unknown> = {
  endpoint: "https://images.example",
  context: "the-cluster",
  podNetwork: "10.0.0.0/8",
  images,
  ...secrets,
};

function configure(values: Record<string, unknown>, secretKeys = Object.keys(secrets)): void {
  const text = Object.entries(values).map(([key, value]) => [
    `image-service:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(text),
    secretKeys.map((key) => `image-service:${key}`),
  );
}

beforeEach(async () => {
  await pulumi.runtime.setMocks(
    { call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs }) },
    "image-service",
    "test",
  );
});

test("what a stack leaves out has the documented default", () => {
  configure(whole);
  expect(loadConfig()).toMatchObject({
    namespace: "image-service",
    workers: { replicas: 4 },
    api: { maxWaitSeconds: 295, rateLimit: "10/minute" },
    protect: true,
  });
});

test("a wrong configuration names every fault at once, with key, value and fix", () => {
  const { apiSecret: _, alertWebhook: __, ...incomplete } = whole;
  const wrong = {
    ...incomplete,
    endpoint: "",
    images: { ...images, nginx: "nginx:latest" },
    workers: { replicas: "four", gpus: 2 },
    nginx: { replicas: 2, minAvailable: 2 },
    colour: "blue",
  };
  configure(
    wrong,
    Object.keys(secrets).filter((name) => name !== "redisPassword"),
  );
  expect(loadConfig).toThrow(
    [
      "the configuration of stack test has 9 faults:",
      "endpoint is missing; fix: pulumi config set endpoint VALUE",
      'images.nginx is "nginx:latest", but must name an image by digest: repository@sha256:…; fix: pulumi config set --path images.nginx VALUE',
      'workers.replicas is "four", but Invalid input: expected number, received string; fix: pulumi config set --path workers.replicas VALUE',
      "workers.gpus is 2, but there is no such key; fix: pulumi config rm --path workers.gpus",
      'colour is "blue", but there is no such key; fix: pulumi config rm colour',
      "nginx.minAvailable is 2, but must be below nginx.replicas, 2, or no node can be drained; fix: pulumi config set --path nginx.minAvailable 1",
      "apiSecret is missing; fix: pulumi config set --secret apiSecret",
      "redisPassword is in plain text, but must be secret; fix: pulumi config set --secret redisPassword",
      "alertWebhook is missing, but monitoring.receivers has webhook; fix: pulumi config set --secret alertWebhook",
    ].join("\n  - "),
  );
});

test("secrets stay secret", async () => {
  configure(whole);
  for (const secret of Object.values(loadConfig().secrets)) {
    expect(await pulumi.isSecret(secret)).toBe(true);
  }
});

test("what only some stacks need may be left out of the others", () => {
  const { alertWebhook: _, ...needed } = whole;
  configure({ ...needed, monitoring: { alertmanager: false } });
  expect(loadConfig().monitoring.alertmanager).toBe(false);
  configure({ ...needed, monitoring: { operator: true } });
  expect(loadConfig().monitoring.operator).toBe(true);
  configure(needed);
  expect(loadConfig).toThrow(
    [
      "has 1 fault:",
      "alertWebhook is missing, but monitoring.receivers has webhook; fix: pulumi config set --secret alertWebhook",
    ].join("\n  - "),
  );
});

/** The faults of a stack that is right but for these keys. */
function faultsOf(values: Record<string, unknown>): string[] {
  configure({ ...whole, ...values });
  try {
    loadConfig();
  } catch (error) {
    return (error as Error).message.split("\n  - ").slice(1);
  }
  return [];
}

const behindCloudflare = {
  cloudflare: { mode: "tunnel", zoneId: "zone" },
  api: { maxWaitSeconds: 90 },
};

const annotation = "service.beta.kubernetes.io/aws-load-balancer-";
/** At an NLB, with annotations by what follows `annotation`. */
const atNlb = (annotations: Record<string, string>, rest = {}) => ({
  serviceType: "LoadBalancer",
  loadBalancerClass: "service.k8s.aws/nlb",
  serviceAnnotations: Object.fromEntries(
    Object.entries(annotations).map(([suffix, value]) => [`${annotation}${suffix}`, value]),
  ),
  ...rest,
});
const turbo = {
  model: "stabilityai/stable-diffusion-xl-base-1.0",
  steps: 1,
  maxSteps: 4,
  guidanceScale: 0,
  maxGuidanceScale: 1,
  side: 512,
};

const lora = {
  name: "pixel-art",
  repository: "owner/pixel-art-xl",
  revision: "ab".repeat(20),
  file: "pixel-art-xl.safetensors",
  sha256: "ab".repeat(32),
};

const proxied = { ...behindCloudflare.cloudflare, mode: "proxied" };

test.each<[string, Record<string, unknown>, string]>([
  [
    "a tunnel without a zone",
    { ...behindCloudflare, cloudflare: { mode: "tunnel" } },
    "cloudflare.zoneId is missing, but cloudflare.mode is not off; fix: pulumi config set --path cloudflare.zoneId VALUE",
  ],
  [
    "a tunnel beside a public load balancer",
    { ...behindCloudflare, nginx: { serviceType: "LoadBalancer" } },
    'nginx.serviceType is "LoadBalancer", but must be ClusterIP where cloudflare.mode is tunnel; fix: pulumi config set --path nginx.serviceType ClusterIP',
  ],
  [
    "a wait that Cloudflare gives up",
    { ...behindCloudflare, api: {} },
    "api.maxWaitSeconds is 295, but must not be above 90 behind Cloudflare, which gives up soon after; fix: pulumi config set --path api.maxWaitSeconds 90",
  ],
  [
    "a rate limit that the zone's plan can't count",
    {
      ...behindCloudflare,
      cloudflare: { mode: "tunnel", zoneId: "zone", rateLimit: 5 },
    },
    "cloudflare.rateLimit is 5, but must be 6 or more on the plan free, which counts over 10 s; fix: pulumi config set --path cloudflare.rateLimit 6",
  ],
  [
    "plain HTTP behind Cloudflare",
    { ...behindCloudflare, endpoint: "http://images.example" },
    'endpoint is "http://images.example", but must begin with https:// behind Cloudflare; fix: pulumi config set endpoint https://HOST',
  ],
  [
    "DNS at an address that no policy can name",
    { clusterDns: "10.96.0.10" },
    'clusterDns is "10.96.0.10", but network policies can only let pods reach a Service\'s name or an address of dnsNetworks; fix: pulumi config set clusterDns SERVICE.NAMESPACE.svc.cluster.local',
  ],
  [
    "AWS without a region",
    { aws: { accessKeys: true }, backups: { managed: true } },
    "aws.region is missing, but a managed store, pictures, backups or weights are in AWS; fix: pulumi config set --path aws.region VALUE",
  ],
  ...[
    { backups: { managed: true } },
    { objectStore: { managed: true } },
    { objectStore: { bucket: "one" } },
    { models: { endpoint: "s3://weights" } },
  ].map((inAws): [string, Record<string, unknown>, string] => [
    `a bucket of AWS that no pod may use (${JSON.stringify(inAws)})`,
    { aws: { region: "eu-central-1" }, ...inAws },
    "aws.eksCluster is missing, but pictures, backups or weights are in AWS; there pods need roles from it, from aws.oidcProviderArn, or aws.accessKeys; fix: pulumi config set --path aws.eksCluster NAME",
  ]),
  [
    "pods that are two to AWS",
    { aws: { eksCluster: "one", accessKeys: true } },
    "aws.accessKeys is true, but aws.eksCluster already says who pods are; fix: pulumi config rm --path aws.accessKeys",
  ],
  [
    "an identity provider by its URL",
    { aws: { oidcProviderArn: "https://oidc.example" } },
    'aws.oidcProviderArn is "https://oidc.example", but must be an ARN of IAM: …:oidc-provider/…; fix: pulumi config set --path aws.oidcProviderArn VALUE',
  ],
  [
    "an item of a list",
    { aws: { clientNetworks: ["10.0.0.0/16", "10.1.0.0"] } },
    "aws.clientNetworks[1] is \"10.1.0.0\", but must be a network like 10.0.0.0/16; fix: pulumi config set --path 'aws.clientNetworks[1]' VALUE",
  ],
  [
    "a key with a dot",
    { aws: { tags: { "cost.center": 5 } } },
    'aws.tags["cost.center"] is 5, but Invalid input: expected string, received number; fix: pulumi config set --path \'aws.tags["cost.center"]\' VALUE',
  ],
  [
    "pictures in two buckets",
    {
      aws: { region: "eu-central-1", eksCluster: "one" },
      objectStore: { managed: true, bucket: "one" },
    },
    'objectStore.bucket is "one", but objectStore.managed makes one; fix: pulumi config rm --path objectStore.bucket',
  ],
  [
    "a retention that nobody keeps to",
    {
      aws: { region: "eu-central-1", eksCluster: "one" },
      objectStore: { bucket: "theirs" },
      retention: { pictures: 30 },
    },
    "retention.pictures is 30, but is of use only where objectStore.bucket is not set; fix: pulumi config rm --path retention.pictures",
  ],
  [
    "receivers of an operator's Alertmanager, which the stack doesn't configure",
    { monitoring: { operator: true, receivers: ["slack"] } },
    'monitoring.receivers is ["slack"], but is of use only where monitoring.operator is false; fix: pulumi config rm --path monitoring.receivers',
  ],
  [
    "labels for an operator that is not asked",
    { monitoring: { operatorLabels: { release: "one" } } },
    'monitoring.operatorLabels is {"release":"one"}, but is of use only where monitoring.operator is true; fix: pulumi config rm --path monitoring.operatorLabels',
  ],
  [
    "a bucket that lets in by a hub's token",
    {
      aws: { region: "eu-central-1", eksCluster: "one" },
      models: { gated: true, endpoint: "s3://weights" },
    },
    "models.gated is true, but is of use only where models.endpoint is a hub; fix: pulumi config rm --path models.gated",
  ],
  [
    "a model that is no repository",
    { workers: { model: "sdxl-turbo" } },
    'workers.model is "sdxl-turbo", but must be a repository like OWNER/NAME; fix: pulumi config set --path workers.model VALUE',
  ],
  [
    "a model that may change under its name",
    { workers: { model: "owner/name" } },
    "models.revision is missing, but only the files of the default model are known; fix: pulumi config set --path models.revision VALUE",
  ],
  [
    "a branch in the place of a commit",
    { workers: { model: "owner/name" }, models: { revision: "main" } },
    'models.revision is "main", but must be a commit: 40 hex digits; fix: pulumi config set --path models.revision VALUE',
  ],
  [
    "a commit of a model that is made by code",
    { workers: { model: "tiny-sdxl" }, models: { revision: "ab".repeat(20) } },
    `models.revision is "${"ab".repeat(20)}", but means nothing for workers.model tiny-sdxl; fix: pulumi config rm --path models.revision`,
  ],
  [
    "steps of a model that no worker has",
    { models: { sampling: [{ ...turbo, model: "owner/another" }] } },
    "models.sampling[0].model is \"owner/another\", but no worker draws with it; fix: pulumi config set --path 'models.sampling[0].model' stabilityai/stable-diffusion-xl-base-1.0",
  ],
  [
    "steps of a model in two ways",
    { models: { sampling: [turbo, turbo] } },
    "models.sampling[1].model is \"stabilityai/stable-diffusion-xl-base-1.0\", but was said before; fix: pulumi config rm --path 'models.sampling[1]'",
  ],
  [
    "more steps by default than a request may name",
    { models: { sampling: [{ ...turbo, steps: 9 }] } },
    "models.sampling[0].steps is 9, but is more than its maxSteps, 4; fix: pulumi config set --path 'models.sampling[0].steps' 4",
  ],
  [
    "more guidance by default than a request may name",
    { models: { sampling: [{ ...turbo, guidanceScale: 7.5 }] } },
    "models.sampling[0].guidanceScale is 7.5, but is more than its maxGuidanceScale, 1; fix: pulumi config set --path 'models.sampling[0].guidanceScale' 1",
  ],
  [
    "two LoRAs of one name, of which requests could name one alone",
    { models: { loras: [lora, lora] } },
    "models.loras is not told apart by the name pixel-art, but requests and files have no other; fix: pulumi config set --path 'models.loras[1].name' ANOTHER",
  ],
  [
    "a LoRA that may change under its name",
    { models: { loras: [{ ...lora, revision: "main" }] } },
    "models.loras[0].revision is \"main\", but must be a commit: 40 hex digits; fix: pulumi config set --path 'models.loras[0].revision' VALUE",
  ],
  [
    "a LoRA that is no safetensors",
    { models: { loras: [{ ...lora, file: "../pickle.bin" }] } },
    "models.loras[0].file is \"../pickle.bin\", but must be the path of a safetensors file; fix: pulumi config set --path 'models.loras[0].file' VALUE",
  ],
  [
    "a backup that is deleted before it may be",
    {
      aws: { region: "eu-central-1", eksCluster: "one" },
      backups: { managed: true, lockDays: 30, keepDays: 7 },
    },
    "backups.keepDays is 7, but must not be below backups.lockDays, 30, before which nothing can be deleted; fix: pulumi config set --path backups.keepDays 30",
  ],
  [
    "a port of the nodes that nothing listens to",
    { nginx: { nodePort: 30080 } },
    "nginx.nodePort is 30080, but must be 30000-32767 and stand beside nginx.serviceType NodePort; fix: pulumi config rm --path nginx.nodePort",
  ],
  [
    "a class of load balancer that makes none",
    { nginx: { loadBalancerClass: "service.k8s.aws/nlb" } },
    'nginx.loadBalancerClass is "service.k8s.aws/nlb", but is of use only where nginx.serviceType is LoadBalancer; fix: pulumi config rm --path nginx.loadBalancerClass',
  ],
  [
    "a PROXY header that nobody is there to send",
    { nginx: { proxyProtocol: true, trustedProxies: ["10.0.0.0/8"] } },
    "nginx.proxyProtocol is true, but is of use only where nginx.serviceType is not ClusterIP; fix: pulumi config rm --path nginx.proxyProtocol",
  ],
  [
    "a PROXY header that is believed of nobody",
    { nginx: { serviceType: "NodePort", proxyProtocol: true } },
    "nginx.trustedProxies is missing, but nginx.proxyProtocol is true and cloudflare.mode is off; fix: pulumi config set --path 'nginx.trustedProxies[0]' VALUE",
  ],
  [
    "an NLB that sends PROXY headers to an nginx that expects none",
    { nginx: atNlb({ "proxy-protocol": "*" }) },
    "nginx.proxyProtocol is false, but nginx.serviceAnnotations make the NLB send PROXY headers; fix: pulumi config set --path nginx.proxyProtocol true",
  ],
  [
    "an NLB that sends none to an nginx that expects them",
    {
      nginx: atNlb(
        { "target-group-attributes": "stickiness.enabled=true" },
        { proxyProtocol: true, trustedProxies: ["10.0.0.0/8"] },
      ),
    },
    `nginx.proxyProtocol is true, but nginx.serviceAnnotations make the NLB send no PROXY headers; fix: pulumi config set --path 'nginx.serviceAnnotations["${annotation}target-group-attributes"]' stickiness.enabled=true,proxy_protocol_v2.enabled=true`,
  ],
  [
    "an NLB that hides its clients",
    { nginx: atNlb({ "nlb-target-type": "ip" }) },
    `nginx.serviceAnnotations is {"${annotation}nlb-target-type":"ip"}, but with them the NLB hides the addresses of clients, which the rate limit counts by; fix: pulumi config set --path 'nginx.serviceAnnotations["${annotation}target-group-attributes"]' preserve_client_ip.enabled=true`,
  ],
  [
    "an NLB that Cloudflare can't reach",
    { ...behindCloudflare, cloudflare: proxied, nginx: atNlb({ "nlb-target-type": "ip" }) },
    `nginx.serviceAnnotations is {"${annotation}nlb-target-type":"ip"}, but an NLB is internal unless they say otherwise, where Cloudflare can't reach it; fix: pulumi config set --path 'nginx.serviceAnnotations["${annotation}scheme"]' internet-facing`,
  ],
  [
    "a PROXY header from GKE's load balancer",
    {
      nginx: {
        serviceType: "LoadBalancer",
        loadBalancerClass: "networking.gke.io/l4-regional-external",
        proxyProtocol: true,
        trustedProxies: ["10.0.0.0/8"],
      },
    },
    "nginx.proxyProtocol is true, but networking.gke.io/l4-regional-external passes connections on as they are, without PROXY headers; fix: pulumi config rm --path nginx.proxyProtocol",
  ],
  [
    "proxies that are believed beside Cloudflare",
    { ...behindCloudflare, nginx: { trustedProxies: ["10.0.0.0/8"] } },
    'nginx.trustedProxies is ["10.0.0.0/8"], but is of use only where cloudflare.mode is off; fix: pulumi config rm --path nginx.trustedProxies',
  ],
  [
    "a certificate for clients that Cloudflare has",
    { ...behindCloudflare, nginx: { tls: { issuer: "letsencrypt" } } },
    'nginx.tls is {"issuer":"letsencrypt"}, but is of use only where cloudflare.mode is off; fix: pulumi config rm --path nginx.tls',
  ],
  [
    "two certificates",
    { nginx: { tls: { issuer: "letsencrypt", secretName: "images-example" } } },
    'nginx.tls.secretName is "images-example", but nginx.tls.issuer, letsencrypt, makes a Secret of its own; fix: pulumi config rm --path nginx.tls.secretName',
  ],
  [
    "a certificate for plain HTTP",
    { endpoint: "http://images.example", nginx: { tls: { secretName: "images-example" } } },
    'endpoint is "http://images.example", but must begin with https:// where nginx.tls is set; fix: pulumi config set endpoint https://HOST',
  ],
  [
    "a password that breaks a URL",
    { databasePassword: "p@ssword/with#signs" },
    "databasePassword is not 16 to 128 letters and digits, but it stands in a URL; fix: pulumi config set --secret databasePassword",
  ],
  [
    "mail that no server takes",
    {
      monitoring: {
        receivers: ["email"],
        email: { to: "a@example.com", from: "b@example.com", username: "b" },
      },
    },
    "monitoring.email.smarthost is missing, but monitoring.receivers has email; fix: pulumi config set --path monitoring.email.smarthost VALUE",
  ],
  [
    "an image that nobody has built",
    { images: { ...images, worker: "" } },
    "build.repository is missing, but images.api, images.worker, images.backup or images.postgres is not set; fix: pulumi config set --path build.repository VALUE",
  ],
  [
    "a registry with a password and no user",
    { build: { repository: "registry.example:5000/image-service" } },
    "build.username is missing, but build.repository is set; fix: pulumi config set --path build.username VALUE",
  ],
  [
    "a tag where each stack has its own",
    { build: { repository: "registry.example/image-service:latest", username: "pusher" } },
    'build.repository is "registry.example/image-service:latest", but must be a repository without a tag, like HOST/PATH; fix: pulumi config set --path build.repository VALUE',
  ],
  [
    "a network of pods that nobody looked up",
    { podNetwork: "" },
    "podNetwork is missing; fix: pulumi config set podNetwork VALUE",
  ],
  [
    "whichever cluster the shell points to",
    { context: "" },
    "context is missing, but kubeconfig is not set; fix: pulumi config set context VALUE",
  ],
])("%s is refused", (_, values, fault) => {
  expect(faultsOf(values)).toEqual([fault]);
});

test.each(["https://App.example", "https://app.example/", 'https://a";', "https://$host", "app"])(
  "%s, which no browser sends as an origin, is refused",
  (origin) => expect(faultsOf({ api: { corsOrigins: [origin] } })).toHaveLength(1),
);

test("the context of an EKS cluster in the region says who gives pods their roles", () => {
  const context = "arn:aws:eks:eu-central-1:111122223333:cluster/one";
  const backups = { managed: true };
  expect(faultsOf({ context, backups, aws: { region: "eu-central-1" } })).toEqual([]);
  expect(faultsOf({ context, backups, aws: { region: "us-east-1" } })).toHaveLength(1);
});

test.each([
  [{}, 50],
  [{ managed: true, storage: "20Gi" }, 50],
])("fifty workers find connections to the database: %o", (postgres, replicas) => {
  const aws = {
    region: "eu-central-1",
    vpcId: "vpc",
    subnetIds: ["one", "two"],
    clientNetworks: ["10.0.0.0/8"],
  };
  expect(faultsOf({ postgres, aws, workers: { replicas } })).toEqual([]);
});

test("more pods than the database carries connections for are refused, with what would", () => {
  expect(faultsOf({ workers: { replicas: 60 } })).toEqual([
    'postgres.resources.limits.memory is "1Gi", but 2 pods of the api and 60 workers open up to 234 connections, and it carries 204; fix: pulumi config set --path postgres.resources.limits.memory 2Gi',
  ]);
  expect(
    faultsOf({
      workers: { replicas: 60 },
      postgres: { resources: { limits: { memory: "2Gi" } } },
    }),
  ).toEqual([]);
  const aws = {
    region: "eu-central-1",
    vpcId: "vpc",
    subnetIds: ["one", "two"],
    clientNetworks: ["10.0.0.0/8"],
  };
  const postgres = { managed: true, storage: "20Gi", instanceClass: "db.t4g.small" };
  expect(faultsOf({ postgres, aws, workers: { replicas: 50 } })).toEqual([
    'postgres.instanceClass is "db.t4g.small", but 2 pods of the api and 50 workers open up to 204 connections, and it carries 184; fix: pulumi config set --path postgres.instanceClass LARGER',
  ]);
});

test("a gated repository is refused without the token that opens it", () => {
  const { hubToken: _, ...rest } = whole;
  configure({ ...rest, models: { gated: true } });
  expect(loadConfig).toThrow(
    "hubToken is missing, but models.gated is true; fix: pulumi config set --secret hubToken",
  );
});

test("with pictures and backups in AWS nobody needs keys of the cluster's object store", () => {
  const { s3AccessKeyId: _, s3SecretAccessKey: __, ...rest } = whole;
  const { objectStore: ___, ...needed } = images;
  const inAws = { backups: { managed: true }, objectStore: { managed: true } };
  configure({
    ...rest,
    images: needed,
    ...inAws,
    aws: { region: "eu-central-1", eksCluster: "one" },
  });
  expect(loadConfig().objectStore.managed).toBe(true);
});

test("an operator's image is refused by a digest alone, as its own webhook would", () => {
  const digest = `sha256:${"1".repeat(64)}`;
  const faults = (cnpg: string) => faultsOf({ postgres: { operator: "cnpg" }, images: { cnpg } });
  const refused = expect.stringContaining("must have a tag of PostgreSQL 18 beside its digest");
  for (const wrong of ["postgresql", "registry:18/postgresql", "postgresql:17-trixie"]) {
    expect(faults(`${wrong}@${digest}`), wrong).toContainEqual(refused);
  }
  expect(faults(`postgresql:18.1-system-trixie@${digest}`)).not.toContainEqual(refused);
});

test("a managed database is refused with the settings of a pod, and without a network", () => {
  const postgres = {
    managed: true,
    storage: "500Mi",
    resources: { requests: { cpu: "2" } },
  };
  expect(faultsOf({ postgres, aws: { region: "eu-central-1", subnetIds: ["one"] } })).toEqual([
    "aws.vpcId is missing, but postgres.managed or redis.managed is true; fix: pulumi config set --path aws.vpcId VALUE",
    "aws.clientNetworks is missing, but postgres.managed or redis.managed is true; fix: pulumi config set --path 'aws.clientNetworks[0]' VALUE",
    'postgres.resources is {"requests":{"cpu":"2"}}, but is of use only where postgres.managed is false; fix: pulumi config rm --path postgres.resources',
    "aws.subnetIds is [\"one\"], but must be two or more, in different zones, for a standby; fix: pulumi config set --path 'aws.subnetIds[1]' VALUE",
    'postgres.storage is "500Mi", but must be whole Gi from 20Gi on, as RDS sells them; fix: pulumi config set --path postgres.storage 20Gi',
  ]);
});

test.each<[string, Record<string, unknown>]>([
  [
    "EKS, by addresses of pods",
    atNlb({
      "nlb-target-type": "ip",
      "target-group-attributes": "preserve_client_ip.enabled=true",
    }),
  ],
  ["EKS, by instances", atNlb({ scheme: "internet-facing" })],
  [
    "EKS, by PROXY headers",
    atNlb({ "proxy-protocol": "*" }, { proxyProtocol: true, trustedProxies: ["10.0.0.0/8"] }),
  ],
  [
    "GKE",
    { serviceType: "LoadBalancer", loadBalancerClass: "networking.gke.io/l4-regional-external" },
  ],
  [
    "MetalLB",
    { serviceType: "LoadBalancer", serviceAnnotations: { "metallb.io/address-pool": "public" } },
  ],
])("clients reach nginx on %s, with a certificate or without", (_, nginx) => {
  expect(faultsOf({ nginx })).toEqual([]);
  expect(faultsOf({ nginx: { ...nginx, tls: { issuer: "letsencrypt" } } })).toEqual([]);
});

test("Cloudflare reaches nginx through an NLB that hides its address", () => {
  const nginx = atNlb({ scheme: "internet-facing", "nlb-target-type": "ip" });
  expect(faultsOf({ ...behindCloudflare, cloudflare: proxied, nginx })).toEqual([]);
});
