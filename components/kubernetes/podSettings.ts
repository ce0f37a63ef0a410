import type * as pulumi from "@pulumi/pulumi";

/** What a cluster asks of every pod, whoever declares it. */
export interface PodSettings {
  /** Names of Secrets with the passwords of the images' registries. */
  pullSecrets: pulumi.Input<string>[];
}

/**
 * Gives them to the pods of every component that has this among its options' `transformations`.
 * In the program and not in the engine, so that tests see it too.
 */
export const podSettings =
  ({ pullSecrets }: PodSettings): pulumi.ResourceTransformation =>
  ({ type, props, opts }) => {
    const template = podTemplate(type, props as Workload);
    if (!template || pullSecrets.length === 0) return undefined;
    template.spec.imagePullSecrets = pullSecrets.map((name) => ({ name }));
    return { props, opts };
  };

interface Template {
  spec: { imagePullSecrets?: { name: pulumi.Input<string> }[] };
}
interface Workload {
  spec: { template: Template; jobTemplate: { spec: { template: Template } } };
}

function podTemplate(type: string, { spec }: Workload): Template | undefined {
  switch (type) {
    case "kubernetes:apps/v1:Deployment":
    case "kubernetes:apps/v1:StatefulSet":
    case "kubernetes:batch/v1:Job":
      return spec.template;
    case "kubernetes:batch/v1:CronJob":
      return spec.jobTemplate.spec.template;
    default:
      return undefined;
  }
}
