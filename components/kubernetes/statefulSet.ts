import type * as k8s from "@pulumi/kubernetes";

/** What tells one store from another. */
export interface SingleReplica {
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  /** The Service that names its pod. */
  service: k8s.core.v1.Service;
  pod: k8s.types.input.core.v1.PodSpec;
  /** Size of the volume `data`, a Kubernetes quantity. */
  storage: string;
}

/** A StatefulSet of one pod, which keeps its volume `data` whatever node it moves to. */
export const singleReplica = ({
  metadata,
  service,
  pod,
  storage,
}: SingleReplica): k8s.apps.v1.StatefulSetArgs => ({
  metadata,
  spec: {
    serviceName: service.metadata.name,
    replicas: 1,
    selector: { matchLabels: metadata.labels },
    template: { metadata: { labels: metadata.labels }, spec: pod },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage } },
        },
      },
    ],
  },
});
