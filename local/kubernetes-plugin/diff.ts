import { isFields } from "./properties";

export type Path = (string | number)[];

export interface Change {
  path: Path;
  kind: "add" | "delete" | "update";
  /** The added or new value; the old one of a deletion. */
  value: unknown;
}

/** Where two values differ: the topmost added or deleted fields and the changed leaves. */
export function changes(before: unknown, after: unknown, path: Path = []): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, kind: "add", value: after }];
  if (after === undefined) return [{ path, kind: "delete", value: before }];
  if (isFields(before) && isFields(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changes(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) => changes(before[i], after[i], [...path, i])).flat();
  }
  return before === after ? [] : [{ path, kind: "update", value: after }];
}

/** `spec.containers[0].image`, `metadata.annotations["example.com/key"]`: the engine's notation. */
export function pathText(path: Path): string {
  return path
    .map((step) => {
      if (typeof step === "number") return `[${step}]`;
      return /[."[\]]/.test(step) ? `["${step.replaceAll('"', '\\"')}"]` : `.${step}`;
    })
    .join("")
    .replace(/^\./, "");
}

/** The inverse of {@link pathText}. */
export function parsePath(text: string): Path {
  const step = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g;
  return [...text.matchAll(step)].map(([, quoted, index, plain]) => {
    if (quoted !== undefined) return quoted.replaceAll('\\"', '"');
    return index !== undefined ? Number(index) : (plain as string);
  });
}
