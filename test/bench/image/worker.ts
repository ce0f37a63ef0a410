import { buildah, ensureBase, ensureImage, imageTag } from "../../../local/images";
import { recipes } from "../../../local/images/recipes";

/** Writes the worker image into the directory of an OCI layout, as a push to a registry packs it. */
export async function exportWorkerImage(layout: string, compression: string): Promise<void> {
  const recipe = recipes.find(({ name }) => name === "worker") as (typeof recipes)[number];
  await ensureBase("bookworm", console.error);
  await ensureImage(recipe, {}, console.error);
  await buildah("bench-image", [
    ...["push", "--quiet", "--format", "oci", "--compression-format", compression],
    ...[imageTag("worker"), `oci:${layout}:${compression}`],
  ]);
}
