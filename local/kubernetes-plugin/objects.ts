import type { Fields } from "./properties";

/** Any object of the Kubernetes API. */
export interface KubernetesObject extends Fields {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
}

export interface Metadata extends Fields {
  name?: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  annotations?: Record<string, string>;
}

/** What an object is called in messages: kind, then `namespace/name`. */
export function describe(object: KubernetesObject): string {
  return `${object.kind} ${identifier(object)}`;
}

/** A resource's ID in Pulumi's state: `namespace/name`, or `name` where there are no namespaces. */
export function identifier({ metadata }: KubernetesObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : `${metadata.name}`;
}

export function parseIdentifier(id: string): { namespace?: string; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** `kubernetes:apps/v1:Deployment` → apps/v1, Deployment; the core group is written `core/v1`. */
export function kindOfUrn(urn: string): { apiVersion: string; kind: string } {
  const type = (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
  const [, groupVersion = "", kind = ""] = type.split(":");
  return { apiVersion: groupVersion.replace(/^core\//, ""), kind };
}

export function nameOfUrn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export function annotation(object: Fields, key: string): string | undefined {
  return (object as Partial<KubernetesObject>).metadata?.annotations?.[`pulumi.com/${key}`];
}

export function skipsAwait(object: Fields): boolean {
  return annotation(object, "skipAwait") === "true";
}
