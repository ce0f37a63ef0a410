import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { roleAnnotation } from "../vendors";

/** Who pods are outside of the cluster; a resource, with all that has to be there before them. */
export interface Identity extends pulumi.Resource {
  /** Name of their service account. */
  account: string;
  /** ARN of the AWS role that its annotation gives them. @default it is given otherwise */
  annotated?: pulumi.Output<string>;
}

/** @returns the part of a pod's spec that makes it somebody; without an identity it is nobody */
export function runAs(
  name: string,
  namespace: string,
  identity: Identity | undefined,
  opts: pulumi.CustomResourceOptions,
): { serviceAccountName?: pulumi.Output<string> } {
  if (!identity) return {};
  const { account, annotated } = identity;
  const made = new k8s.core.v1.ServiceAccount(
    name,
    {
      metadata: {
        name: account,
        namespace,
        ...(annotated && { annotations: { [roleAnnotation]: annotated } }),
      },
    },
    // AWS puts a role into pods when they are made: into none that come before their role.
    { ...opts, dependsOn: identity },
  );
  return { serviceAccountName: made.metadata.name };
}
