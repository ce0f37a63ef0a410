import { dirname, join } from "node:path";
import { kubeconfig } from "../paths";
import type { Report } from "../progress";
import { run } from "../run";
import type { Toolchain } from "../toolchain";
import { applyReleased } from "./released";

/** As KEDA's own manifests name them. */
const namespace = "keda";
const images = ["ghcr.io/kedacore/keda", "ghcr.io/kedacore/keda-metrics-apiserver"];
const metricsApi = "apiservice/v1beta1.external.metrics.k8s.io";

/** Installs KEDA without its webhooks, and waits until the cluster has its metrics. */
export async function ensureKeda(
  toolchain: Pick<Toolchain, "keda" | "kubectl">,
  image: string,
  report: Report,
): Promise<void> {
  const kubectl = (...args: string[]) =>
    run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);
  await applyReleased(
    toolchain,
    "keda",
    join(dirname(toolchain.keda), "config/minimal"),
    images,
    image,
  );
  report("waiting for its metrics");
  await kubectl("wait", "--for=condition=Available", "--timeout=240s", metricsApi);
  await kubectl(
    ...["--namespace", namespace, "wait", "--for=condition=Available", "--timeout=240s"],
    ...["deployment", "--all"],
  );
}
