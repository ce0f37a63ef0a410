import type { KubernetesObject } from "./objects";
import { type Fields, markSecrets, reveal } from "./properties";

/**
 * A resource in Pulumi's state: the live object, and beside it what the plugin must remember.
 * The keys are the official provider's, so that either can take over the other's state.
 */
export interface State {
  live: KubernetesObject;
  inputs: Fields;
  /** Who owns the applied fields in the API server's books. */
  fieldManager: string;
}

/** @param markedInputs the inputs with their secrets wrapped */
export function toOutputs(state: State, markedInputs: Fields): Fields {
  const outputs = markSecrets(renameExtensions(state.live, "-", "_"), markedInputs) as Fields;
  return {
    ...outputs,
    __inputs: toInputs(state.inputs, markedInputs),
    __fieldManager: state.fieldManager,
    __initialApiVersion: state.live.apiVersion,
  };
}

export function fromOutputs(outputs: Fields): State {
  const { __inputs, __fieldManager, __initialApiVersion, ...live } = reveal<Fields>(outputs);
  return {
    live: renameExtensions(live, "_", "-") as KubernetesObject,
    inputs: renameExtensions((__inputs ?? {}) as Fields, "_", "-"),
    fieldManager: __fieldManager as string,
  };
}

export function toInputs(plain: Fields, markedInputs: Fields): Fields {
  return markSecrets(renameExtensions(plain, "-", "_"), markedInputs) as Fields;
}

/** Inputs as the API server takes them: no secrets wrapped, OpenAPI extensions with dashes. */
export function plainInputs(markedInputs: Fields): Fields {
  return renameExtensions(reveal<Fields>(markedInputs), "_", "-");
}

/** `x-kubernetes-*`, in the schemas of CustomResourceDefinitions, has underscores in the SDK. */
function renameExtensions<T>(value: T, from: "-" | "_", to: "-" | "_"): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renameExtensions(item, from, to)) as T;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.startsWith(`x${from}kubernetes${from}`) ? key.replaceAll(from, to) : key,
      renameExtensions(item, from, to),
    ]),
  ) as T;
}
