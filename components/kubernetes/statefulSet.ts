import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** The volume of a part that keeps data. */
export interface VolumeArgs {
  /** Its size, a Kubernetes quantity; it grows in place and never shrinks. */
  storage: string;
  /** Its class, which stays what it was when it was made; "": the cluster's default. */
  storageClass: string;
  /** Refuses to give it up; `pulumi state unprotect` lifts it. */
  protect: boolean;
}

/** What tells one store from another. */
export interface SingleReplica {
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  /** The Service that names its pod. */
  service: k8s.core.v1.Service;
  /** What is beside its volume `data`. */
  pod: k8s.types.input.core.v1.PodSpec & { volumes: k8s.types.input.core.v1.Volume[] };
  volume: VolumeArgs;
}

/**
 * A StatefulSet of one pod, which keeps its volume `data` whatever node it moves to. The claim is a
 * resource of its own, since a StatefulSet's templates can't change. It has the name that a template
 * would give it, and so the data of stacks from before (components/kubernetes/claims.ts).
 */
export function singleReplica(
  name: string,
  { metadata, service, pod, volume }: SingleReplica,
  child: pulumi.CustomResourceOptions,
): void {
  const { storage, storageClass, protect } = volume;
  const claimName = `data-${metadata.name}-0`;
  const claim = new k8s.core.v1.PersistentVolumeClaim(
    `${name}-volume`,
    {
      metadata: {
        ...metadata,
        name: claimName,
        // The official plugin waits until a claim that it makes is Pending, where its class waits for
        // a pod; one that was there is Bound (untilCoreV1PersistentVolumeClaimReady in
        // https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/await/awaiters.go).
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: storageClass || undefined,
        resources: { requests: { storage } },
      },
    },
    // Retained, so that no update deletes it, whatever is edited; it goes with its namespace.
    { ...child, protect, retainOnDelete: true },
  );
  new k8s.apps.v1.StatefulSet(
    `${name}-server`,
    {
      metadata,
      spec: {
        serviceName: service.metadata.name,
        replicas: 1,
        selector: { matchLabels: metadata.labels },
        template: {
          metadata: { labels: metadata.labels },
          spec: {
            ...pod,
            volumes: [...pod.volumes, { name: "data", persistentVolumeClaim: { claimName } }],
          },
        },
      },
    },
    { ...child, dependsOn: claim },
  );
}
