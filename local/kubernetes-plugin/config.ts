import { isDeepStrictEqual } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { changes } from "./diff";
import { type Fields, unknown } from "./properties";

/** The provider's options, as the official one names them. */
export interface ProviderConfig {
  kubeconfig: KubeConfig;
  /** Where a namespaced object goes that names none. */
  namespace: string;
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
  enablePatchForce: boolean;
  upsertExistingObjects: boolean;
}

/** What is wrong with the options, by property. */
export function checkConfig(inputs: Fields): { property: string; reason: string }[] {
  const failures: { property: string; reason: string }[] = [];
  const unsupported = (property: string) =>
    failures.push({ property, reason: "needs the official Kubernetes plugin: leave it out" });
  if (inputs.cluster) unsupported("cluster");
  if (inputs.renderYamlToDirectory) unsupported("renderYamlToDirectory");
  if (inputs.enableServerSideApply === "false") unsupported("enableServerSideApply");
  if (inputs.kubeconfig !== unknown && inputs.context !== unknown) {
    try {
      loadKubeconfig(inputs);
    } catch (error) {
      failures.push({ property: "kubeconfig", reason: (error as Error).message });
    }
  }
  return failures;
}

export function parseConfig(inputs: Fields): ProviderConfig {
  const kubeconfig = loadKubeconfig(inputs);
  const context = kubeconfig.getContextObject(kubeconfig.getCurrentContext());
  const isOn = (option: string, variable: string) =>
    String(inputs[option] ?? process.env[variable]) === "true";
  return {
    kubeconfig,
    namespace: (inputs.namespace as string) || context?.namespace || "default",
    enableConfigMapMutable: isOn("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
    enableSecretMutable: isOn("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
    enablePatchForce: isOn("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
    upsertExistingObjects: isOn("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
  };
}

/**
 * Which options changed, and which of them mean another cluster, so that every resource must be
 * made anew. clusterIdentifier decides it where it is given; else the active cluster's address and
 * certificate do.
 */
export function diffConfig(before: Fields, after: Fields): { diffs: string[]; replaces: string[] } {
  const diffs = [...new Set(changes(before, after).map(({ path }) => String(path[0])))];
  const hadIdentifier = before.clusterIdentifier !== undefined;
  if (hadIdentifier && after.clusterIdentifier !== undefined) {
    return { diffs, replaces: diffs.filter((option) => option === "clusterIdentifier") };
  }
  const changed = diffs.filter((option) => ["kubeconfig", "context"].includes(option));
  return { diffs, replaces: changed.length > 0 && isOtherCluster(before, after) ? changed : [] };
}

function isOtherCluster(before: Fields, after: Fields): boolean {
  if ([after.kubeconfig, after.context].includes(unknown)) return true;
  try {
    const cluster = (inputs: Fields) => loadKubeconfig(inputs).getCurrentCluster();
    return !isDeepStrictEqual(cluster(before), cluster(after));
  } catch {
    return false;
  }
}

/** From the option (a path or the content), else from $KUBECONFIG, ~/.kube/config or the pod. */
function loadKubeconfig({ kubeconfig, context }: Fields): KubeConfig {
  const config = new KubeConfig();
  if (typeof kubeconfig === "string" && kubeconfig !== "") {
    const isContent = /^\s*(\{|apiVersion:|clusters:|kind:)/m.test(kubeconfig);
    if (isContent) config.loadFromString(kubeconfig);
    else config.loadFromFile(kubeconfig);
  } else {
    config.loadFromDefault();
  }
  if (typeof context === "string") config.setCurrentContext(context);
  const active = config.getContextObject(config.getCurrentContext());
  if (!active)
    throw new Error(`no context ${JSON.stringify(config.getCurrentContext())} in the kubeconfig`);
  if (!config.getCurrentCluster())
    throw new Error(`no cluster ${active.cluster} in the kubeconfig`);
  return config;
}
