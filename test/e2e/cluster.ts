import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../local/errors";
import type { ImageReferences } from "../../local/images";
import { kubeconfig, state } from "../../local/paths";
import { type ConfigValues, imageConfig, LocalStack } from "../../local/stack";
import { ensureToolchain, type Toolchain } from "../../local/toolchain";

/**
 * The local cluster that `npm run local` brought up.
 * @throws UserError where there is none
 */
export async function localCluster(): Promise<{ toolchain: Toolchain; images: ImageReferences }> {
  const file = join(state, "images.json");
  if (!existsSync(file)) throw new UserError("no local stack is up", "npm run local");
  const toolchain = await ensureToolchain(() => {});
  const images = JSON.parse(readFileSync(file, "utf8")) as ImageReferences;
  return { toolchain, images };
}

/** A stack of the test's own on that cluster. */
export async function openStack(name: string, values: ConfigValues): Promise<LocalStack> {
  const { toolchain, images } = await localCluster();
  const machine = { kubeconfig, images: imageConfig(images) };
  return LocalStack.open(name, toolchain, { ...machine, ...values }, () => {});
}
