import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { kubeconfig, state } from "../paths";
import type { Report } from "../progress";
import { run } from "../run";
import type { Toolchain } from "../toolchain";

/** As KEDA's own manifests name them. */
const namespace = "keda";
const images = ["ghcr.io/kedacore/keda", "ghcr.io/kedacore/keda-metrics-apiserver"];
const metricsApi = "apiservice/v1beta1.external.metrics.k8s.io";

/** KEDA as it is released, without its webhooks, from an image that the node has. */
export const renderKustomization = (released: string, image: string): object => {
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

/** Installs KEDA with the manifests of its own release, and waits until the cluster has its metrics. */
export async function ensureKeda(
  toolchain: Pick<Toolchain, "keda" | "kubectl">,
  image: string,
  report: Report,
): Promise<void> {
  const kubectl = (...args: string[]) =>
    run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);
  const directory = join(state, "keda");
  mkdirSync(directory, { recursive: true });
  // Kustomize takes no absolute paths.
  const released = join(dirname(toolchain.keda), "config/minimal");
  const path = relative(realpathSync(directory), realpathSync(released));
  writeFileSync(
    join(directory, "kustomization.yaml"),
    JSON.stringify(renderKustomization(path, image)),
  );
  // A definition is longer than the annotation that applying on the client's side would keep it in.
  await kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", directory);
  report("waiting for its metrics");
  await kubectl("wait", "--for=condition=Available", "--timeout=240s", metricsApi);
  await kubectl(
    ...["--namespace", namespace, "wait", "--for=condition=Available", "--timeout=240s"],
    ...["deployment", "--all"],
  );
}
