/** A small model that looks at pictures or works on them; its repository has config.json and model.safetensors. */
export interface Companion {
  /** OWNER/NAME on the hub. */
  repository: string;
  /** Commit of it. */
  revision: string;
  /** Of model.safetensors, in hex. */
  sha256: string;
}

export interface Companions {
  /** Looks at each picture before it is stored. @default nobody does */
  safetyChecker?: Companion;
  /** Makes pictures twice as wide and high. @default none can be */
  upscaler?: Companion;
}

/** For whoever fetches or uses them, and whoever knows that they are there. */
export const companionsEnv = ({ safetyChecker, upscaler }: Companions) => [
  ...(safetyChecker ? [{ name: "SAFETY_CHECKER", value: JSON.stringify(safetyChecker) }] : []),
  ...(upscaler ? [{ name: "UPSCALER", value: JSON.stringify(upscaler) }] : []),
];
