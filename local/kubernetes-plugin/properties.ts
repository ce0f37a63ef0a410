import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A JSON object as resources are made of; secrets are wrapped, see {@link secret}. */
export interface Fields {
  [key: string]: unknown;
}

/** What the engine sends in a preview for a value that only an update will know. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function secret(value: unknown): Fields {
  return { [signature]: secretSignature, value };
}

function isSecret(value: unknown): value is Fields {
  return isFields(value) && value[signature] === secretSignature;
}

/** The value with every secret in it unwrapped. */
export function reveal<T = unknown>(value: unknown): T {
  if (isSecret(value)) return reveal(value.value);
  if (Array.isArray(value)) return value.map((item) => reveal(item)) as T;
  if (!isFields(value)) return value as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)])) as T;
}

export function hasUnknowns(value: unknown): boolean {
  return value === unknown || children(value).some(hasUnknowns);
}

function hasSecrets(value: unknown): boolean {
  return isSecret(value) || children(value).some(hasSecrets);
}

function children(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

/**
 * Wraps in `plain` what is secret in `marked`, a value of the same shape, and the contents of any
 * Kubernetes Secret. An array with a secret anywhere in it becomes secret as a whole, for the API
 * server may have put its elements in another order.
 */
export function markSecrets(plain: unknown, marked: unknown): unknown {
  if (!isFields(plain) || isSecret(marked)) {
    return plain !== undefined && hasSecrets(marked) ? secret(plain) : plain;
  }
  const inputs = isFields(marked) ? marked : {};
  const object = Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [key, markSecrets(value, inputs[key])]),
  );
  return plain.kind === "Secret" ? markContents(object) : object;
}

function markContents(object: Fields): Fields {
  const marked = { ...object };
  for (const key of ["data", "stringData"]) {
    if (marked[key] !== undefined) marked[key] = secret(reveal(marked[key]));
  }
  // kubectl apply copies the whole object, contents and all, into an annotation.
  const { metadata } = marked;
  const copy = "kubectl.kubernetes.io/last-applied-configuration";
  if (isFields(metadata) && isFields(metadata.annotations) && copy in metadata.annotations) {
    marked.metadata = { ...metadata, annotations: secret(metadata.annotations) };
  }
  return marked;
}

/** Properties as they came over the wire, without what is null: to Kubernetes that is absent. */
export function decode(struct: Struct | undefined): Fields {
  return struct ? (withoutNulls(struct.toJavaScript()) as Fields) : {};
}

export function encode(properties: Fields): Struct {
  // Through JSON, because a Struct cannot hold undefined.
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}
