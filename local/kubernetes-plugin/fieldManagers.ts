import { type Fields, isFields } from "./properties";

interface ManagedFields extends Fields {
  manager: string;
  operation: "Apply" | "Update";
  subresource?: string;
  fieldsV1: Fields;
}

/**
 * Gives the fields set by kubectl, or by the official provider's client-side create, to a field
 * manager of ours, so that changing them is no conflict and leaving them out removes them.
 * @returns the new metadata.managedFields; undefined when there is nothing to take over
 */
export function takeOver(managedFields: unknown, fieldManager: string): Fields[] | undefined {
  const entries = (managedFields ?? []) as ManagedFields[];
  const isOurs = (entry: ManagedFields) =>
    entry.manager === fieldManager && entry.operation === "Apply" && !entry.subresource;
  const isForeign = (entry: ManagedFields) =>
    !isOurs(entry) &&
    !entry.subresource &&
    (entry.manager.startsWith("kubectl") ||
      (entry.operation === "Update" && /^(pulumi-|before-first-apply)/.test(entry.manager)));
  const foreign = entries.filter(isForeign);
  const [first] = foreign;
  if (!first) return undefined;
  const taken = [...foreign, ...entries.filter(isOurs)];
  const ours = {
    ...first,
    manager: fieldManager,
    operation: "Apply",
    fieldsV1: taken.map((entry) => entry.fieldsV1).reduce(union),
  };
  return [...entries.filter((entry) => !taken.includes(entry)), ours];
}

function union(a: Fields, b: Fields): Fields {
  const all = { ...a };
  for (const [key, value] of Object.entries(b)) {
    all[key] = isFields(all[key]) && isFields(value) ? union(all[key], value) : value;
  }
  return all;
}
