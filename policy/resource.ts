/** A resource as a rule sees it: what was declared, before anything is made. */
export interface Resource {
  /** Pulumi's token, e.g. "kubernetes:apps/v1:Deployment". */
  type: string;
  /** Logical name. */
  name: string;
  stack: string;
  props: Props;
  protect: boolean;
}

/** Inputs of any resource of any package. */
// biome-ignore lint/suspicious/noExplicitAny: rules ask whether a path is there, whatever its type
export type Props = Record<string, any>;

/** The pods that a resource makes: the template's labels and spec. */
export function podOf({ type, props }: Resource): { labels: Props; spec: Props } | undefined {
  const template =
    {
      Pod: props,
      Deployment: props.spec?.template,
      StatefulSet: props.spec?.template,
      DaemonSet: props.spec?.template,
      ReplicaSet: props.spec?.template,
      Job: props.spec?.template,
      CronJob: props.spec?.jobTemplate?.spec?.template,
    }[kubernetesKind(type) ?? ""] ?? undefined;
  return template?.spec && { labels: template.metadata?.labels ?? {}, spec: template.spec };
}

/** All of a pod's containers, those that run before the others included. */
export const containersOf = (spec: Props): Props[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
];

/** "Deployment" of "kubernetes:apps/v1:Deployment". */
export const kubernetesKind = (type: string): string | undefined =>
  /^kubernetes:[^:]+:(\w+)$/.exec(type)?.[1];
