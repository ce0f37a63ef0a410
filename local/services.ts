import { kubeconfig } from "./paths";
import { run } from "./run";
import type { Toolchain } from "./toolchain";

/** Turns the URL of a Service inside the cluster into one that this machine reaches. */
export async function hostUrl(toolchain: Toolchain, url: string): Promise<string> {
  const [service, namespace] = new URL(url).hostname.split(".") as [string, string];
  const address = await run(toolchain.kubectl, [
    ...[`--kubeconfig=${kubeconfig}`, "--namespace", namespace],
    ...["get", "service", service, "--output=jsonpath={.spec.clusterIP}"],
  ]);
  return url.replace(new URL(url).hostname, address);
}
