import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** What a cluster asks of pods, whoever declares them. */
export interface PodSettings {
  /** "": the component's own, or the nodes' default. */
  runtimeClass: string;
  /** "": none. */
  priorityClass: string;
  annotations: Record<string, string>;
  labels: Record<string, string>;
  nodeSelector: Record<string, string>;
  tolerations: k8s.types.input.core.v1.Toleration[];
}

export interface AllPodSettings extends PodSettings {
  /** Names of Secrets with the passwords of the images' registries. */
  pullSecrets: pulumi.Input<string>[];
  /** What the pods of one app get besides, by their label `app`. */
  parts: Partial<Record<string, PodSettings>>;
}

/**
 * Gives them to the pods of every component that has this among its options' `transformations`: those
 * of all pods, over them what the component says itself, over that the part's. In the program and
 * not in the engine, so that tests see it too.
 */
export const podSettings =
  ({ pullSecrets, parts, ...all }: AllPodSettings): pulumi.ResourceTransformation =>
  ({ type, props, opts }) => {
    if (type === "kubernetes:postgresql.cnpg.io/v1:Cluster") {
      const part = parts[props.metadata.name];
      return { props: { ...props, spec: ofOperator(props.spec, pullSecrets, all, part) }, opts };
    }
    const template = podTemplate(type, props as Workload);
    if (!template) return undefined;
    const { metadata, spec } = template;
    const part = parts[partOf(metadata.labels.app as string)];
    // New objects: a workload's selector shares the template's labels.
    metadata.labels = { ...all.labels, ...part?.labels, ...metadata.labels };
    const annotations = { ...all.annotations, ...metadata.annotations, ...part?.annotations };
    if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
    const nodeSelector = { ...all.nodeSelector, ...spec.nodeSelector, ...part?.nodeSelector };
    if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = nodeSelector;
    const tolerations = [
      ...(spec.tolerations ?? []),
      ...all.tolerations,
      ...(part?.tolerations ?? []),
    ];
    if (tolerations.length > 0) spec.tolerations = tolerations;
    const runtimeClass = part?.runtimeClass || spec.runtimeClassName || all.runtimeClass;
    if (runtimeClass) spec.runtimeClassName = runtimeClass;
    const priorityClass = part?.priorityClass || all.priorityClass;
    if (priorityClass) spec.priorityClassName = priorityClass;
    if (pullSecrets.length > 0) spec.imagePullSecrets = pullSecrets.map((name) => ({ name }));
    return { props, opts };
  };

/** What an operator makes its pods of has no place for a runtime class. */
function ofOperator(
  spec: Cluster,
  pullSecrets: pulumi.Input<string>[],
  all: PodSettings,
  part: PodSettings | undefined,
) {
  const priorityClassName = part?.priorityClass || all.priorityClass;
  const nodeSelector = { ...all.nodeSelector, ...part?.nodeSelector };
  const tolerations = [...all.tolerations, ...(part?.tolerations ?? [])];
  return {
    ...spec,
    inheritedMetadata: {
      labels: { ...all.labels, ...part?.labels, ...spec.inheritedMetadata.labels },
      annotations: { ...all.annotations, ...part?.annotations },
    },
    // Empty ones are another pod's to CloudNativePG 1.28: it makes each standby anew, for ever.
    affinity: {
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
      ...(tolerations.length > 0 && { tolerations }),
    },
    ...(priorityClassName && { priorityClassName }),
    ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
  };
}

interface Cluster {
  inheritedMetadata: { labels: Record<string, string> };
}

/** A pool's pods are workers too, and so are set like them. */
export const partOf = (app: string) => app.replace(/^(aigc-worker|models)-.*/, "$1");

interface Template {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    imagePullSecrets?: { name: pulumi.Input<string> }[];
    nodeSelector?: Record<string, string>;
    tolerations?: k8s.types.input.core.v1.Toleration[];
    runtimeClassName?: string;
    priorityClassName?: string;
  };
}
interface Workload {
  spec: { template: Template; jobTemplate: { spec: { template: Template } } };
}

function podTemplate(type: string, { spec }: Workload): Template | undefined {
  switch (type) {
    case "kubernetes:apps/v1:DaemonSet":
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
