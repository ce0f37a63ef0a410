import type { Props, Resource } from "../../../policy/resource";

const image = `registry.example/api@sha256:${"0".repeat(64)}`;

/** A container and a pod that every rule lets pass; each fixture changes one thing. */
const container: Props = {
  name: "api",
  image,
  env: [{ name: "DATABASE_PASSWORD", valueFrom: { secretKeyRef: { name: "s", key: "p" } } }],
  resources: {
    requests: { cpu: "100m", memory: "128Mi" },
    limits: { memory: "512Mi", "nvidia.com/gpu": "1" },
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
};
const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

const resource = (type: string, props: Props, protect = false): Resource => ({
  type,
  name: "fixture",
  stack: "prod",
  props,
  protect,
});

function deployment(change: { container?: Props; pod?: Props; app?: string }): Resource {
  const { app = "aigc-worker" } = change;
  const spec = {
    securityContext,
    containers: [{ ...container, ...change.container }],
    ...change.pod,
  };
  return resource("kubernetes:apps/v1:Deployment", {
    spec: { template: { metadata: { labels: { app } }, spec } },
  });
}

/** The one pod that may be root. */
const logCollector = ({ path = "/var/log/pods", readOnly = true, app = "vlagent" }) =>
  deployment({
    app,
    container: { volumeMounts: [{ name: "logs", mountPath: path, readOnly }] },
    pod: {
      securityContext: { runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
      volumes: [
        { name: "logs", hostPath: { path } },
        { name: "buffer", hostPath: { path: "/var/lib/image-service-logs" } },
      ],
    },
  });

const statefulSet = (protect: boolean) =>
  resource(
    "kubernetes:apps/v1:StatefulSet",
    {
      spec: {
        template: { spec: { securityContext, containers: [container] } },
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
      },
    },
    protect,
  );

const publicAccess = (blockPublicPolicy: boolean) =>
  resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {
    blockPublicAcls: true,
    blockPublicPolicy,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });

export const good: Record<string, Resource> = {
  "a worker with one GPU": deployment({}),
  "an api without a GPU": deployment({
    app: "api",
    container: { resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } } },
  }),
  "a protected StatefulSet": statefulSet(true),
  "a closed bucket": publicAccess(true),
  "a StatefulSet of another stack": { ...statefulSet(false), stack: "local" },
  "a log collector": logCollector({}),
  "a namespace that enforces": resource("kubernetes:core/v1:Namespace", {
    metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  }),
};

/** By rule: what it has to refuse. */
export const bad: Record<string, Record<string, Resource>> = {
  "image-by-digest": {
    "an image by tag": deployment({ container: { image: "registry.example/api:1.4" } }),
    "an init container by tag": deployment({
      pod: { initContainers: [{ ...container, name: "init", image: "busybox:1" }] },
    }),
    "a CronJob's image by tag": resource("kubernetes:batch/v1:CronJob", {
      spec: {
        jobTemplate: {
          spec: {
            template: {
              spec: { securityContext, containers: [{ ...container, image: "backup:1" }] },
            },
          },
        },
      },
    }),
  },
  "no-latest": {
    "latest beside a digest": deployment({
      container: { image: `registry.example/api:latest@sha256:${"0".repeat(64)}` },
    }),
    "a pushed image tagged latest": resource("docker:index/image:Image", {
      imageName: "registry.example/api:latest",
    }),
  },
  "requests-and-limits": {
    "a container without requests": deployment({
      container: { resources: { limits: { memory: "1Gi", "nvidia.com/gpu": "1" } } },
    }),
    "a container without a memory limit": deployment({
      container: {
        resources: {
          requests: { cpu: "1", memory: "1Gi" },
          limits: { "nvidia.com/gpu": "1" },
        },
      },
    }),
  },
  "worker-gpu": {
    "a worker without a GPU": deployment({
      container: {
        resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } },
      },
    }),
    "a pod that takes every GPU": deployment({
      container: { env: [{ name: "NVIDIA_VISIBLE_DEVICES", value: "all" }] },
    }),
  },
  "pod-security-restricted": {
    "a pod that may run as root": deployment({
      pod: { securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
    }),
    "a pod without seccomp": deployment({ pod: { securityContext: { runAsNonRoot: true } } }),
    "a pod on the host's network": deployment({ pod: { hostNetwork: true } }),
    "a pod with a directory of the host": deployment({
      pod: { volumes: [{ name: "root", hostPath: { path: "/" } }] },
    }),
    "a log collector that could change the logs": logCollector({ readOnly: false }),
    "a log collector that reads what is no log": logCollector({ path: "/etc" }),
    "another pod that reads the node's logs": logCollector({ app: "api" }),
    "a privileged container": deployment({
      container: { securityContext: { ...container.securityContext, privileged: true } },
    }),
    "a container that may gain privileges": deployment({
      container: {
        securityContext: { ...container.securityContext, allowPrivilegeEscalation: undefined },
      },
    }),
    "a container that keeps capabilities": deployment({
      container: { securityContext: { ...container.securityContext, capabilities: {} } },
    }),
    "a container that can write its root": deployment({
      container: {
        securityContext: { ...container.securityContext, readOnlyRootFilesystem: false },
      },
    }),
  },
  "namespace-restricted": {
    "a namespace without the label": resource("kubernetes:core/v1:Namespace", {
      metadata: { name: "image-service" },
    }),
  },
  "no-public-bucket": {
    "a bucket that everybody reads": resource("aws:s3/bucket:Bucket", { acl: "public-read" }, true),
    "an open public access block": publicAccess(false),
    "a policy that allows everybody": resource("aws:s3/bucketPolicy:BucketPolicy", {
      policy: JSON.stringify({
        Statement: { Effect: "Allow", Principal: "*", Action: "s3:GetObject" },
      }),
    }),
  },
  encryption: {
    "a database on a plain disk": resource("aws:rds/instance:Instance", {}, true),
    "a database that takes clients without TLS": resource("aws:rds/parameterGroup:ParameterGroup", {
      parameters: [],
    }),
    "a Redis without TLS": resource(
      "aws:elasticache/replicationGroup:ReplicationGroup",
      { atRestEncryptionEnabled: true },
      true,
    ),
    "files that all nodes share, in plain": resource("aws:efs/fileSystem:FileSystem", {}, true),
    "a cluster that keeps Secrets under no key of its owner": resource(
      "aws:eks/cluster:Cluster",
      {},
    ),
    "disks in plain": resource("kubernetes:storage.k8s.io/v1:StorageClass", {
      provisioner: "ebs.csi.aws.com",
      parameters: { type: "gp3" },
    }),
    "a zone that trusts any origin": resource("cloudflare:index/zoneSetting:ZoneSetting", {
      settingId: "ssl",
      value: "flexible",
    }),
  },
  "protect-stateful": {
    "a StatefulSet with a volume": statefulSet(false),
    "a volume claim": resource("kubernetes:core/v1:PersistentVolumeClaim", {}),
    "a bucket": resource("aws:s3/bucket:Bucket", {}),
    "a database": resource("aws:rds/instance:Instance", { storageEncrypted: true }),
    "files that all nodes share": resource("aws:efs/fileSystem:FileSystem", { encrypted: true }),
  },
  "no-plain-secret": {
    "a password in env": deployment({
      container: { env: [{ name: "DATABASE_PASSWORD", value: "hunter2" }] },
    }),
    "a URL with a password in env": deployment({
      container: { env: [{ name: "DATABASE_URL", value: "postgresql://aigc:x@db/aigc" }] },
    }),
    "a token in a ConfigMap": resource("kubernetes:core/v1:ConfigMap", {
      data: { API_TOKEN: "abc" },
    }),
  },
};
