import { parse } from "yaml";
import { UserError } from "../errors";
import type { Kubectl } from "./kubectl";

/** Where images go, as the two that talk to it name it: host, port and a path. */
export interface Registry {
  /** For Docker on this machine. */
  push: string;
  /** For the nodes. */
  pull: string;
}

const repository = "image-service";

/** The registry that the user named, or the one that the cluster says it has. */
export async function findRegistry(kubectl: Kubectl, named: string | undefined): Promise<Registry> {
  if (named !== undefined) return { push: named, pull: named };
  // https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
  const { status, stdout } = await kubectl.attempt(
    ...["--namespace", "kube-public", "get", "configmap", "local-registry-hosting"],
    "--output=jsonpath={.data.localRegistryHosting\\.v1}",
  );
  const registry = status === 0 ? advertisedRegistry(stdout) : undefined;
  if (registry) return registry;
  throw new UserError(
    `context ${kubectl.context} says of no registry that its nodes pull from (ConfigMap kube-public/local-registry-hosting)`,
    "name one that this machine pushes to: --registry HOST/PATH; docs/clusters.md says how each kind of cluster gets one",
  );
}

/** @param hosting the ConfigMap's `localRegistryHosting.v1`; undefined where it names no host */
export function advertisedRegistry(hosting: string): Registry | undefined {
  const { host, hostFromContainerRuntime } = (parse(hosting) ?? {}) as Record<string, unknown>;
  if (typeof host !== "string" || host === "") return undefined;
  return {
    push: `${host}/${repository}`,
    pull: `${hostFromContainerRuntime || host}/${repository}`,
  };
}
