import { createHash, randomBytes } from "node:crypto";
import { annotation, type KubernetesObject, type Metadata } from "./objects";
import type { Fields } from "./properties";

const autonamed = "pulumi.com/autonamed";

/** What the project's `pulumi:autonaming` setting says of this resource. */
export type Autonaming = { mode: "disabled" } | { mode: "proposed"; name: string };

export interface NamingRequest {
  /** The resource's name in the program. */
  logicalName: string;
  /** From the engine, so that a planned update gets the names of its preview. */
  randomSeed: Uint8Array;
  autonaming?: Autonaming;
}

/**
 * Gives an object without a name one: its old one if that was made here too, else a new
 * `<logical name>-<8 hex digits>`. A made name is marked by an annotation, for such an object can
 * be replaced without being deleted first.
 * @throws if it needs a new name and autonaming is off
 */
export function withName(inputs: Fields, oldInputs: Fields, request: NamingRequest): Fields {
  const metadata = (inputs.metadata ?? {}) as Metadata;
  if (metadata.name !== undefined) return inputs;
  return {
    ...inputs,
    metadata: {
      ...metadata,
      name: isAutonamed(oldInputs) ? oldInputs.metadata.name : newName(request),
      annotations: { ...metadata.annotations, [autonamed]: "true" },
    },
  };
}

export function isAutonamed(inputs: Fields): inputs is KubernetesObject {
  return annotation(inputs, "autonamed") === "true";
}

function newName({ logicalName, randomSeed, autonaming }: NamingRequest): string {
  if (autonaming?.mode === "disabled") {
    throw new Error("metadata.name is missing and autonaming is disabled: set metadata.name");
  }
  if (autonaming) return autonaming.name;
  return `${logicalName}-${randomSuffix(randomSeed)}`;
}

/** Eight hex digits, always the same for the same seed. */
export function randomSuffix(seed: Uint8Array = new Uint8Array()): string {
  const bytes = seed.length > 0 ? createHash("sha256").update(seed).digest() : randomBytes(4);
  return bytes.subarray(0, 4).toString("hex");
}
