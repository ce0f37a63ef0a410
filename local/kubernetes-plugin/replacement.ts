import type { Change, Path } from "./diff";
import { isAutonamed } from "./naming";
import type { KubernetesObject } from "./objects";
import { type Fields, isFields } from "./properties";

export interface Mutability {
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
}

const container = (list: string) =>
  [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
  ].map((field) => `spec.${list}.*.${field}`);

/** The fields whose change makes the official provider replace an object, beside name and namespace. */
const immutableFields: Record<string, string[]> = {
  "apps/v1/DaemonSet": ["spec.selector"],
  "apps/v1/Deployment": ["spec.selector"],
  "apps/v1/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
  "v1/PersistentVolume": [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
  ].map((source) => `spec.${source}`),
  "v1/PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "v1/Pod": [
    ...[
      "affinity",
      "automountServiceAccountToken",
      "dnsConfig",
      "dnsPolicy",
      "enableServiceLinks",
      "hostAliases",
      "hostIPC",
      "hostNetwork",
      "hostPID",
      "hostname",
      "imagePullSecrets",
      "nodeName",
      "nodeSelector",
      "overhead",
      "preemptionPolicy",
      "priority",
      "priorityClassName",
      "readinessGates",
      "restartPolicy",
      "runtimeClassName",
      "schedulerName",
      "securityContext",
      "serviceAccount",
      "serviceAccountName",
      "shareProcessNamespace",
      "subdomain",
      "terminationGracePeriodSeconds",
      "volumes",
    ].map((field) => `spec.${field}`),
    ...container("containers"),
    ...container("initContainers"),
  ],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Secret": ["type"],
  "v1/Service": ["spec.clusterIP"],
};

/** The paths, `*` for any step, whose change replaces this object. */
export function replacingPaths(inputs: KubernetesObject, mutability: Mutability): string[] {
  const type = `${inputs.apiVersion}/${inputs.kind}`;
  const paths = ["metadata.name", "metadata.namespace", ...(immutableFields[type] ?? [])];
  const frozen = inputs.immutable === true;
  if (type === "v1/Secret" && (frozen || !mutability.enableSecretMutable)) {
    paths.push("data", "stringData");
  }
  if (type === "v1/ConfigMap" && (frozen || !mutability.enableConfigMapMutable)) {
    paths.push("data", "binaryData");
  }
  return paths;
}

/** Whether a change is in, at or above one of the paths. */
export function replaces(change: Change, paths: string[]): boolean {
  return paths.some((path) => touches(change.path, change.value, path.split(".")));
}

function touches(path: Path, value: unknown, pattern: string[]): boolean {
  const common = Math.min(path.length, pattern.length);
  for (let i = 0; i < common; i++) {
    if (pattern[i] !== "*" && pattern[i] !== String(path[i])) return false;
  }
  return contains(value, pattern.slice(path.length));
}

function contains(value: unknown, [step, ...rest]: string[]): boolean {
  if (step === undefined) return true;
  if (Array.isArray(value)) return step === "*" && value.some((item) => contains(item, rest));
  return isFields(value) && step in value && contains(value[step], rest);
}

/**
 * Whether the old object must be gone before its replacement is made: they would have the same
 * name, and it was the program that chose it.
 */
export function deletesBeforeReplace(inputs: KubernetesObject, live: KubernetesObject): boolean {
  return (
    !isAutonamed(inputs as Fields) &&
    inputs.metadata.name === live.metadata.name &&
    inputs.metadata.namespace === live.metadata.namespace
  );
}
