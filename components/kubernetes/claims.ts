import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Has PersistentVolumeClaims that the program names taken over where they are there already: an
 * earlier release's StatefulSets made them, or they outlived the stack's state. For components that
 * have this among their options' `transformations`.
 * @param adopting a provider that may, with `upsertExistingObjects`
 */
export const adoptClaims =
  (adopting: k8s.Provider): pulumi.ResourceTransformation =>
  ({ type, props, opts }) => {
    const isNamed = props.metadata?.name !== undefined;
    return isNamed && type === "kubernetes:core/v1:PersistentVolumeClaim"
      ? { props, opts: { ...opts, provider: adopting } }
      : undefined;
  };
