import type * as k8s from "@pulumi/kubernetes";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;

/** What the `restricted` Pod Security Standard asks of a pod. */
export const restrictedPod = (
  uid: number,
): Pick<PodSpec, "automountServiceAccountToken" | "enableServiceLinks" | "securityContext"> => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: uid,
    runAsGroup: uid,
    fsGroup: uid,
    // Else every mount of a large volume takes minutes, and opens each directory to the group.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
});

/** What it asks of each container, and a root file system that can't be written. */
export const restrictedContainer: Pick<Container, "imagePullPolicy" | "securityContext"> = {
  imagePullPolicy: "IfNotPresent",
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
};

/** An empty directory of the pod's own at `mountPath`. */
export const scratch = (name: string) => ({ name, emptyDir: {} });

/** PostgreSQL's: the default of /dev/shm, 64 MB, is too small for parallel queries. */
export const sharedMemory = {
  mount: { name: "shm", mountPath: "/dev/shm" },
  volume: { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } },
};

/** CPU and memory of a container. */
export interface Resources {
  /** Kubernetes quantities, e.g. `{ cpu: "100m", memory: "128Mi" }`. */
  requests: { cpu: string; memory: string };
  /** The memory limit; CPU has none, so that a burst is not throttled. */
  limits: { memory: string };
}

/** Of a container that tells Prometheus of another. */
export const exporterResources: Resources = {
  requests: { cpu: "10m", memory: "32Mi" },
  limits: { memory: "128Mi" },
};
