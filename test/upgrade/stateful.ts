import type { Declaration } from "../golden/record";
import { holdsData, replacedBy, type Stack } from "./replacement";

const templates = "spec.volumeClaimTemplates";
const statefulSet = "kubernetes:apps/v1:StatefulSet";

/** What of a stack holds data, with the components around it, which are part of its URN. */
export function statefulPart(stack: Stack): Stack {
  const kept = new Set<string>();
  for (const [name, declaration] of Object.entries(stack)) {
    if (!isStateful(declaration)) continue;
    for (let at: string | undefined = name; at && at in stack; at = stack[at]?.parent) {
      kept.add(at);
    }
  }
  return Object.fromEntries(Object.entries(stack).filter(([name]) => kept.has(name)));
}

const isStateful = (declaration: Declaration) =>
  holdsData(declaration) || declaration.type === statefulSet;

/** What an update from one stack to the next would delete or replace of what holds data. */
export function losses(previous: Stack, next: Stack): string[] {
  return Object.entries(previous).flatMap(([name, before]) => {
    if (!isStateful(before)) return [];
    const found = Object.entries(next).find(
      ([present, { aliases = [] }]) => present === name || aliases.includes(name),
    );
    if (!found) return [`${name} is gone; a new name needs an alias to ${name}`];
    const [present, after] = found;
    if (present === name && path(previous, name) !== path(next, name)) {
      return [`${name} has another type or parent; it needs an alias to ${path(previous, name)}`];
    }
    return [
      ...replacedBy(before, after)
        .filter((field) => field !== templates)
        .map((field) => `${name} would be replaced, since ${field} has changed`),
      ...(replacesVolumes(before, after) ? claimLosses(name, before, after, next) : []),
    ];
  });
}

/** StatefulSets that are deleted and made again, since their templates have changed. */
export function replacedStatefulSets(previous: Stack, next: Stack): string[] {
  return Object.entries(previous).flatMap(([name, before]) => {
    const after = next[name];
    return after && replacesVolumes(before, after) ? [name] : [];
  });
}

const replacesVolumes = (before: Declaration, after: Declaration) =>
  text(before.inputs, templates) !== text(after.inputs, templates);

interface Claim {
  metadata: { name: string; namespace: string; annotations?: Record<string, string> };
  spec: { accessModes: string[]; storageClassName?: string };
}
interface Templated extends Claim {
  spec: Claim["spec"] & { volumeClaimTemplates?: Claim[] };
}

/**
 * The claims of a StatefulSet that is replaced outlive it, as its persistentVolumeClaimRetentionPolicy
 * says by default. Their data is kept if a resource takes each of them over.
 */
function claimLosses(name: string, before: Declaration, after: Declaration, next: Stack): string[] {
  const { metadata, spec } = before.inputs as Templated;
  const faults = (spec.volumeClaimTemplates ?? []).map((template) => {
    const claimName = `${template.metadata.name}-${metadata.name}-0`;
    const claim = Object.values(next).find(({ type, inputs }) => {
      const { name, namespace } = (inputs as Partial<Claim>).metadata ?? {};
      return (
        type === "kubernetes:core/v1:PersistentVolumeClaim" &&
        name === claimName &&
        namespace === metadata.namespace
      );
    });
    if (!claim) return `the data of ${claimName} would be left behind, since no resource is it`;
    const provider = next[claim.provider as string]?.inputs as Record<string, string> | undefined;
    return (
      (provider?.upsertExistingObjects !== "true" &&
        `${claimName} is there already, and its provider takes over nothing`) ||
      ((claim.inputs as Claim).metadata.annotations?.["pulumi.com/skipAwait"] !== "true" &&
        `${claimName} is Bound already, and the official plugin would wait until it is Pending`) ||
      (["spec.accessModes", "spec.storageClassName"].some(
        (field) => text(template, field) !== text(claim.inputs, field),
      ) &&
        `${claimName} is there already, with another class or access mode`)
    );
  });
  // The engine replaces what was protected, not what goes on being it.
  return [
    ...faults.filter((fault) => fault !== false),
    ...(after.protect ? [`${name} is to be replaced, but protected`] : []),
  ];
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
