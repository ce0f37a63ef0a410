import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "./objects";
import { type Fields, isFields } from "./properties";

/**
 * The inputs as the cluster has them now. The API server itself says what counts as drift: where
 * applying the inputs again would change nothing, they are kept as written ("1000m", not the
 * server's "1"); elsewhere the live value takes their place.
 * @param applied the live object as it would be after the inputs were applied
 */
export function liveInputs(inputs: Fields, applied: Fields, live: Fields): Fields {
  const current = merge(inputs, applied, live) as Fields;
  return inputs.kind === "Secret" ? withStringData(current, applied, live) : current;
}

function merge(input: unknown, applied: unknown, live: unknown): unknown {
  if (isDeepStrictEqual(applied, live)) return input;
  if (isFields(input) && isFields(live)) {
    const before = isFields(applied) ? applied : {};
    return Object.fromEntries(
      Object.entries(input)
        .map(([key, value]) => [key, merge(value, before[key], live[key])])
        .filter(([, value]) => value !== undefined),
    );
  }
  if (Array.isArray(input) && Array.isArray(live) && input.length === live.length) {
    const before = Array.isArray(applied) ? applied : [];
    return input.map((value, i) => merge(value, before[i], live[i]));
  }
  return live;
}

/** stringData can't be read back: it lives on in data, in base64. */
function withStringData(inputs: Fields, applied: Fields, live: Fields): Fields {
  if (!isFields(inputs.stringData)) return inputs;
  const before = (applied.data ?? {}) as Record<string, string>;
  const after = (live.data ?? {}) as Record<string, string>;
  const stringData = Object.entries(inputs.stringData).flatMap(([key, value]) => {
    const encoded = after[key];
    if (encoded === before[key]) return [[key, value]];
    return encoded === undefined ? [] : [[key, Buffer.from(encoded, "base64").toString()]];
  });
  return { ...inputs, stringData: Object.fromEntries(stringData) };
}

/** Everything that the server doesn't keep for itself: the inputs of an imported object. */
export function importedInputs(live: KubernetesObject): Fields {
  const { status, ...inputs } = live;
  const { creationTimestamp, generation, managedFields, resourceVersion, uid, ...metadata } =
    live.metadata;
  const {
    "deployment.kubernetes.io/revision": revision,
    "kubectl.kubernetes.io/last-applied-configuration": lastApplied,
    ...annotations
  } = metadata.annotations ?? {};
  if (metadata.annotations) metadata.annotations = annotations;
  return { ...inputs, metadata };
}
