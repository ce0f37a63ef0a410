import { changes, pathText } from "../../local/kubernetes-plugin/diff";
import type { KubernetesObject } from "../../local/kubernetes-plugin/objects";
import { replaces, replacingPaths } from "../../local/kubernetes-plugin/replacement";
import type { Declaration } from "../golden/record";

/** What a stack declares, by logical name; `aliases` are the names that a resource had before. */
export type Stack = Record<string, Declaration & { aliases?: string[] }>;

/**
 * What holds data outside Kubernetes: the inputs that the AWS provider marks ForceNew, of those that
 * are set here.
 * https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket.go,
 * rds/instance.go and elasticache/replication_group.go
 */
const forceNew: Record<string, string[]> = {
  "aws:s3/bucket:Bucket": ["bucket", "bucketPrefix", "objectLockEnabled"],
  "aws:rds/instance:Instance": [
    ...["identifier", "engine", "username", "dbName", "storageEncrypted", "kmsKeyId"],
    ...["availabilityZone", "snapshotIdentifier"],
  ],
  "aws:elasticache/replicationGroup:ReplicationGroup": [
    ...["replicationGroupId", "subnetGroupName", "atRestEncryptionEnabled", "kmsKeyId", "port"],
    ...["networkType", "snapshotName"],
  ],
};

const mutability = { enableConfigMapMutable: false, enableSecretMutable: false };

type Typed = Pick<Declaration, "type" | "inputs">;

/** Inputs whose change makes the provider replace a resource. */
export function replacedBy(before: Typed, after: Typed): string[] {
  const found = changes(before.inputs, after.inputs);
  if (after.type.startsWith("kubernetes:")) {
    const paths = replacingPaths(after.inputs as KubernetesObject, mutability);
    return found.filter((change) => replaces(change, paths)).map(({ path }) => pathText(path));
  }
  const fields = forceNew[after.type] ?? [];
  return found
    .filter(({ path: [field] }) => fields.includes(`${field}`))
    .map(({ path }) => pathText(path));
}

/** Whether a resource holds data that a replacement or a deletion would take with it. */
export function holdsData({ type }: Pick<Declaration, "type">): boolean {
  return (
    type in forceNew ||
    [
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:PersistentVolumeClaim",
      "kubernetes:postgresql.cnpg.io/v1:Cluster",
    ].includes(type)
  );
}

/** What an update from one stack to the next replaces, and what it deletes. */
export function effects(before: Stack, after: Stack): { replaced: string[]; deleted: string[] } {
  const same = (name: string) => before[name]?.type === after[name]?.type;
  const present = Object.keys(before).filter(same);
  const moved = present.filter((name) => moves(before[name], after[name]));
  return {
    replaced: present.filter((name) => {
      const [old, next] = [before[name], after[name]] as [Declaration, Declaration];
      return replacedBy(old, next).length > 0 || moved.includes(next.provider ?? "");
    }),
    deleted: Object.keys(before).filter((name) => !same(name)),
  };
}

/** A resource of AWS stays in its region, which is its provider's. */
const moves = (before: Declaration | undefined, after: Declaration | undefined) =>
  before?.type === "pulumi:providers:aws" &&
  changes(before.inputs, after?.inputs).some(({ path: [field] }) => field === "region");
