import * as kubernetes from "@pulumi/kubernetes";
import { type CustomResource, interpolate, type Output } from "@pulumi/pulumi";

/** How far the program that the tests run has got. */
export type Stage = "made" | "changed" | "replaced";

export interface Cluster {
  namespace: Output<string>;
  image: (name: string) => string;
}

interface Kind {
  /** The class of @pulumi/kubernetes. */
  resource: new (
    name: string,
    // biome-ignore lint/suspicious/noExplicitAny: each kind has its own arguments
    args: any,
    options: object,
  ) => CustomResource;
  /** Every field but metadata's labels, which change with each stage. */
  fields: (stage: Stage, cluster: Cluster) => object;
  /** The name that the program chooses; without one the plugin does. */
  name?: string;
  /** What the last stage does to it. */
  last: "update" | "replace" | "delete first";
  isClusterWide?: true;
}

const labels = (app: string) => ({ app });
const pod = (image: string, app: string) => ({
  metadata: { labels: labels(app) },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image, resources: { limits: { memory: "16384Ki" } } }],
  },
});
const workload = (stage: Stage, { image }: Cluster, app: string) => {
  const name = stage === "replaced" ? `${app}-2` : app;
  return { selector: { matchLabels: labels(name) }, template: pod(image("pause"), name) };
};

/** Every kind that the stack uses or may use, by the name of its resource in the program. */
export const kinds: Record<string, Kind> = {
  "service-account": {
    resource: kubernetes.core.v1.ServiceAccount,
    fields: (stage) => ({ automountServiceAccountToken: stage === "made" }),
    last: "update",
  },
  config: {
    resource: kubernetes.core.v1.ConfigMap,
    fields: (stage) => ({ data: { key: stage === "replaced" ? "new" : "old" } }),
    last: "replace",
  },
  "named-config": {
    resource: kubernetes.core.v1.ConfigMap,
    name: "chosen",
    fields: (stage) => ({ data: { key: stage === "replaced" ? "new" : "old" } }),
    last: "delete first",
  },
  secret: {
    resource: kubernetes.core.v1.Secret,
    fields: (stage) => ({ stringData: { key: stage === "replaced" ? "new" : "old" } }),
    last: "replace",
  },
  service: {
    resource: kubernetes.core.v1.Service,
    fields: (stage) => ({
      spec: { selector: labels("deployment"), ports: [{ port: stage === "made" ? 80 : 81 }] },
    }),
    last: "update",
  },
  headless: {
    resource: kubernetes.core.v1.Service,
    name: "headless",
    fields: (stage) => ({
      spec: {
        clusterIP: stage === "replaced" ? undefined : "None",
        selector: stage === "replaced" ? undefined : labels("stateful-set"),
        ports: [{ port: 80 }],
      },
    }),
    last: "delete first",
  },
  "node-port": {
    resource: kubernetes.core.v1.Service,
    fields: (stage) => ({
      spec: {
        type: stage === "made" ? "NodePort" : "ClusterIP",
        selector: labels("deployment"),
        ports: [{ name: "http", port: 80, targetPort: 8080 }],
      },
    }),
    last: "update",
  },
  deployment: {
    resource: kubernetes.apps.v1.Deployment,
    fields: (stage, cluster) => ({
      spec: { replicas: stage === "made" ? 1 : 2, ...workload(stage, cluster, "deployment") },
    }),
    last: "replace",
  },
  "stateful-set": {
    resource: kubernetes.apps.v1.StatefulSet,
    fields: (stage, cluster) => ({
      spec: {
        serviceName: stage === "replaced" ? "other" : "headless",
        replicas: stage === "made" ? 1 : 2,
        ...workload(stage, cluster, "stateful-set"),
      },
    }),
    last: "replace",
  },
  "daemon-set": {
    resource: kubernetes.apps.v1.DaemonSet,
    fields: (stage, cluster) => ({
      spec: {
        minReadySeconds: stage === "made" ? 0 : 1,
        ...workload(stage, cluster, "daemon-set"),
      },
    }),
    last: "replace",
  },
  job: {
    resource: kubernetes.batch.v1.Job,
    fields: (stage, { image }) => ({
      spec: {
        backoffLimit: stage === "made" ? 1 : 2,
        template: {
          spec: {
            restartPolicy: "Never",
            containers: [
              {
                name: "main",
                image: image("redis"),
                command: ["redis-server", stage === "replaced" ? "-v" : "--version"],
              },
            ],
          },
        },
      },
    }),
    last: "replace",
  },
  "cron-job": {
    resource: kubernetes.batch.v1.CronJob,
    fields: (stage, { image }) => ({
      spec: {
        schedule: stage === "made" ? "0 2 * * *" : "0 3 * * *",
        jobTemplate: {
          spec: {
            template: {
              spec: {
                restartPolicy: "Never",
                containers: [{ name: "main", image: image("pause") }],
              },
            },
          },
        },
      },
    }),
    last: "update",
  },
  pod: {
    resource: kubernetes.core.v1.Pod,
    fields: (stage, { image }) => ({
      spec: { ...pod(image("pause"), "pod").spec, hostname: stage === "replaced" ? "b" : "a" },
    }),
    last: "replace",
  },
  claim: {
    resource: kubernetes.core.v1.PersistentVolumeClaim,
    fields: (stage) => ({
      spec: {
        accessModes: [stage === "replaced" ? "ReadWriteMany" : "ReadWriteOnce"],
        resources: { requests: { storage: "1024Mi" } },
      },
    }),
    last: "replace",
  },
  "disruption-budget": {
    resource: kubernetes.policy.v1.PodDisruptionBudget,
    fields: (stage) => ({
      spec: {
        minAvailable: stage === "made" ? 1 : "50%",
        selector: { matchLabels: labels("deployment") },
      },
    }),
    last: "update",
  },
  "network-policy": {
    resource: kubernetes.networking.v1.NetworkPolicy,
    fields: (stage) => ({
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: stage === "made" ? [] : [{ ports: [{ port: 80 }] }],
      },
    }),
    last: "update",
  },
  autoscaler: {
    resource: kubernetes.autoscaling.v2.HorizontalPodAutoscaler,
    fields: (stage) => ({
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" },
        minReplicas: 1,
        maxReplicas: stage === "made" ? 2 : 3,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "AverageValue", averageValue: "1000m" } },
          },
        ],
      },
    }),
    last: "update",
  },
  role: {
    resource: kubernetes.rbac.v1.Role,
    name: "reader",
    fields: (stage) => ({
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: stage === "made" ? ["get"] : ["list"] },
      ],
    }),
    last: "update",
  },
  "role-binding": {
    resource: kubernetes.rbac.v1.RoleBinding,
    fields: (stage, { namespace }) => ({
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Role",
        name: stage === "replaced" ? "other" : "reader",
      },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
    }),
    last: "replace",
  },
  "cluster-role": {
    resource: kubernetes.rbac.v1.ClusterRole,
    fields: (stage) => ({
      rules: [
        { apiGroups: [""], resources: ["nodes"], verbs: stage === "made" ? ["get"] : ["list"] },
      ],
    }),
    last: "update",
    isClusterWide: true,
  },
  "cluster-role-binding": {
    resource: kubernetes.rbac.v1.ClusterRoleBinding,
    fields: (stage, { namespace }) => ({
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: stage === "replaced" ? "other" : "view",
      },
      subjects: [{ kind: "ServiceAccount", name: "none", namespace }],
    }),
    last: "replace",
    isClusterWide: true,
  },
  "storage-class": {
    resource: kubernetes.storage.v1.StorageClass,
    fields: (stage) => ({
      provisioner: "example.com/none",
      allowVolumeExpansion: stage !== "made",
      parameters: { type: stage === "replaced" ? "b" : "a" },
    }),
    last: "replace",
    isClusterWide: true,
  },
  definition: {
    resource: kubernetes.apiextensions.v1.CustomResourceDefinition,
    name: "pictures.plugin-test.example.com",
    fields: () => ({
      spec: {
        group: "plugin-test.example.com",
        scope: "Namespaced",
        names: { plural: "pictures", kind: "Picture" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: "object", x_kubernetes_preserve_unknown_fields: true },
            },
          },
        ],
      },
    }),
    last: "update",
    isClusterWide: true,
  },
};

/** A program with one resource of every kind, as of a stage. */
export function program(
  stage: Stage,
  image: Cluster["image"],
  provider: () => kubernetes.Provider,
) {
  return async () => {
    const options = { provider: provider() };
    const { metadata } = new kubernetes.core.v1.Namespace("kinds-test", {}, options);
    const namespace = metadata.name;
    const ids: Record<string, Output<string>> = {};
    const resources = Object.entries(kinds).map(([logicalName, kind]) => {
      const resource = new kind.resource(
        logicalName,
        {
          metadata: {
            name: kind.name,
            namespace: kind.isClusterWide ? undefined : namespace,
            labels: { stage },
          },
          ...kind.fields(stage, { namespace, image }),
        },
        options,
      );
      ids[logicalName] = resource.id;
      return resource;
    });
    const picture = new kubernetes.apiextensions.CustomResource(
      "picture",
      {
        apiVersion: "plugin-test.example.com/v1",
        kind: "Picture",
        metadata: { namespace, labels: { stage } },
        spec: { width: stage === "made" ? 512 : 1024 },
      },
      { ...options, dependsOn: resources.at(-1) },
    );
    return { namespace, ids: { ...ids, picture: interpolate`${picture.id}` } };
  };
}
