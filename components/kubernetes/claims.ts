import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { bytes } from "./quantities";

/**
 * What every PersistentVolumeClaim gets of a component that has this among its options'
 * `transformations`: one that can't shrink, and where the program names it, one that may be there.
 * @param adopting a provider that takes over what is there: claims that an earlier release's
 *   StatefulSets made, or that outlived their stack's state
 */
export function claimSettings(adopting: k8s.Provider): pulumi.ResourceTransformation {
  const beforeUpdate = [
    new pulumi.ResourceHook("volumes-only-grow", refuseToShrink, { onDryRun: true }),
  ];
  return ({ type, props, opts }) => {
    if (type !== "kubernetes:core/v1:PersistentVolumeClaim") return undefined;
    const provider = (props as ClaimInputs).metadata.name ? adopting : opts.provider;
    return { props, opts: { ...opts, provider, hooks: { beforeUpdate } } as typeof opts };
  };
}

interface ClaimInputs {
  metadata: { name?: string };
  spec: { resources: { requests: { storage: string } } };
}

/** Kubernetes shrinks no volume; the API server would say so only after other things were changed. */
function refuseToShrink({ name, oldInputs, newInputs }: pulumi.ResourceHookArgs): void {
  const [before, after] = [oldInputs, newInputs].map(
    (inputs) => (inputs as ClaimInputs).spec.resources.requests.storage,
  ) as [string, string];
  if (bytes(after) >= bytes(before)) return;
  const group = name.replace(/-volume$/, "").replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  throw new Error(
    `${group}.storage is ${JSON.stringify(after)}, but the volume has ${before} and only grows; ` +
      `fix: pulumi config set --path ${group}.storage ${before}`,
  );
}
