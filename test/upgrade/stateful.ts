import type { Declaration } from "../golden/record";

/** By type: the inputs whose change makes a provider replace what holds data. */
const replacing: Record<string, string[]> = {
  "kubernetes:apps/v1:StatefulSet": [
    "metadata.name",
    "metadata.namespace",
    "spec.selector",
    "spec.serviceName",
    "spec.podManagementPolicy",
    "spec.volumeClaimTemplates",
  ],
  "kubernetes:core/v1:PersistentVolumeClaim": [
    "metadata.name",
    "metadata.namespace",
    "spec.accessModes",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "kubernetes:core/v1:Namespace": ["metadata.name"],
  "aws:s3/bucket:Bucket": ["bucket", "bucketPrefix", "objectLockEnabled"],
  "aws:rds/instance:Instance": [
    "identifier",
    "engine",
    "username",
    "dbName",
    "dbSubnetGroupName",
    "storageEncrypted",
    "kmsKeyId",
    "availabilityZone",
  ],
  "aws:elasticache/replicationGroup:ReplicationGroup": [
    "replicationGroupId",
    "subnetGroupName",
    "atRestEncryptionEnabled",
    "kmsKeyId",
    "port",
  ],
};

/** What a stack declares, by logical name; `aliases` are the names that a resource had before. */
export type Stack = Record<string, Declaration & { aliases?: string[] }>;

/** What of a stack holds data, with the components around it, which are part of its URN. */
export function statefulPart(stack: Stack): Stack {
  const kept = new Set<string>();
  for (const [name, { type }] of Object.entries(stack)) {
    if (!(type in replacing)) continue;
    for (let at: string | undefined = name; at && at in stack; at = stack[at]?.parent) {
      kept.add(at);
    }
  }
  return Object.fromEntries(Object.entries(stack).filter(([name]) => kept.has(name)));
}

/** What an update from one stack to the next would delete or replace of what holds data. */
export function losses(previous: Stack, next: Stack): string[] {
  return Object.entries(previous).flatMap(([name, before]) => {
    const fields = replacing[before.type];
    if (!fields) return [];
    const found = Object.entries(next).find(
      ([present, { aliases = [] }]) => present === name || aliases.includes(name),
    );
    if (!found) return [`${name} is gone; a new name needs an alias to ${name}`];
    const [present, after] = found;
    if (present === name && path(previous, name) !== path(next, name)) {
      return [`${name} has another type or parent; it needs an alias to ${path(previous, name)}`];
    }
    return fields
      .filter((field) => text(before.inputs, field) !== text(after.inputs, field))
      .map((field) => `${name} would be replaced, since ${field} has changed`);
  });
}

/** Types from the outermost component inwards, as a URN has them. */
function path(stack: Stack, name: string): string {
  const declaration = stack[name];
  if (!declaration) return "";
  return [declaration.parent && path(stack, declaration.parent), declaration.type]
    .filter(Boolean)
    .join("$");
}

function text(inputs: unknown, field: string): string {
  const value = field
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], inputs);
  return JSON.stringify(value) ?? "";
}
