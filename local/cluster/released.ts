import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { kubeconfig, state } from "../paths";
import { run } from "../run";
import type { Toolchain } from "../toolchain";

/**
 * What a project's own manifests say, from an image that the node has.
 * @param images by the names that those manifests give them
 */
export const renderKustomization = (
  released: string,
  images: readonly string[],
  image: string,
): object => {
  const [newName, digest] = image.split("@");
  return {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [released],
    images: images.map((name) => ({ name, newName, digest })),
    patches: [
      {
        target: { kind: "Deployment" },
        patch: JSON.stringify([
          {
            op: "replace",
            path: "/spec/template/spec/containers/0/imagePullPolicy",
            value: "IfNotPresent",
          },
        ]),
      },
    ],
  };
};

/**
 * Applies a project's own manifests.
 * @param name of a folder for them
 * @param released the folder that they lie in
 */
export async function applyReleased(
  { kubectl }: Pick<Toolchain, "kubectl">,
  name: string,
  released: string,
  images: readonly string[],
  image: string,
): Promise<void> {
  const directory = join(state, name);
  mkdirSync(directory, { recursive: true });
  // Kustomize takes no absolute paths.
  const path = relative(realpathSync(directory), realpathSync(released));
  writeFileSync(
    join(directory, "kustomization.yaml"),
    JSON.stringify(renderKustomization(path, images, image)),
  );
  // A definition is longer than the annotation that applying on the client's side would keep it in.
  await run(kubectl, [
    ...[`--kubeconfig=${kubeconfig}`, "apply", "--server-side", "--force-conflicts"],
    ...["--kustomize", directory],
  ]);
}

/** Takes away what was applied. */
export const deleteReleased = ({ kubectl }: Pick<Toolchain, "kubectl">, name: string) =>
  run(kubectl, [
    ...[`--kubeconfig=${kubeconfig}`, "delete", "--ignore-not-found", "--kustomize"],
    join(state, name),
  ]);
