/** What requests may name besides a model, and where its file is. */
export interface Lora {
  /** By which requests name it. */
  name: string;
  /** OWNER/NAME on the hub. */
  repository: string;
  /** Commit of it. */
  revision: string;
  /** Path of the file in it; safetensors. */
  file: string;
  /** Of the file, in hex. */
  sha256: string;
}

/** For whoever fetches them, and whoever knows their names. */
export const lorasEnv = (loras: Lora[]) =>
  loras.length > 0 ? [{ name: "LORAS", value: JSON.stringify(loras) }] : [];
