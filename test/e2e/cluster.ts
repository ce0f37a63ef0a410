import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageReferences } from "../../local/images";
import { state } from "../../local/paths";
import { ensureToolchain, type Toolchain } from "../../local/toolchain";

/** The local cluster that `npm run local` brought up. */
export async function localCluster(): Promise<{ toolchain: Toolchain; images: ImageReferences }> {
  const { toolchain } = await ensureToolchain(() => {});
  const images = JSON.parse(readFileSync(join(state, "images.json"), "utf8")) as ImageReferences;
  return { toolchain, images };
}
