import * as eks from "@pulumi/aws/eks";
import type * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster";

/**
 * An add-on of EKS, in the version that AWS takes by default for the cluster's Kubernetes:
 * https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
 */
export function addOn(
  name: string,
  addonName: string,
  cluster: Cluster,
  settings: { role?: pulumi.Input<string>; values?: object },
  opts: pulumi.CustomResourceOptions,
): eks.Addon {
  const { parent, provider } = opts;
  const newest = eks.getAddonVersionOutput(
    { addonName, kubernetesVersion: cluster.version },
    { parent, provider },
  );
  return new eks.Addon(
    name,
    {
      clusterName: cluster.name,
      addonName,
      addonVersion: newest.version,
      serviceAccountRoleArn: settings.role,
      configurationValues: settings.values && JSON.stringify(settings.values),
      resolveConflictsOnCreate: "OVERWRITE",
      resolveConflictsOnUpdate: "OVERWRITE",
    },
    opts,
  );
}
