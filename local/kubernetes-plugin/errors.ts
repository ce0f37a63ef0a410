import { describe, type KubernetesObject } from "./objects";
import type { Fields } from "./properties";

/** What the API server answers instead of an object. */
export interface Status {
  code: number;
  reason?: string;
  message?: string;
  details?: { kind?: string; causes?: { field?: string; message?: string; reason?: string }[] };
}

/** A refusal by the API server; its message names the object, the fields, the reason and the fix. */
export class ApiError extends Error {
  constructor(
    readonly status: Status,
    object = "the API server",
  ) {
    super(`${object}: ${reason(status)}${hint(status)}`);
  }
}

export class UnknownKindError extends Error {
  constructor(kind: { apiVersion: string; kind: string }) {
    super(
      `the cluster knows no ${kind.kind} of ${kind.apiVersion}. ` +
        "Correct apiVersion and kind, or install the CustomResourceDefinition first (dependsOn)",
    );
  }
}

export class UnreachableError extends Error {
  constructor(server: string, cause: string) {
    super(
      `the Kubernetes API at ${server} can't be reached (${cause}). ` +
        "Check that the cluster runs and that the provider's kubeconfig and context name it",
    );
  }
}

export class ExistsError extends Error {
  constructor(object: KubernetesObject) {
    super(
      `${describe(object)} already exists in the cluster. Import it, choose another name, give the ` +
        "renamed resource an alias, or set upsertExistingObjects on the provider to adopt it",
    );
  }
}

/** The object was made or changed, but did not become ready; Pulumi keeps it in its state. */
export class NotReadyError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Fields,
    readonly reasons: string[],
    readonly inputs?: Fields,
  ) {
    super(reasons.join("\n"));
  }
}

function reason({ code, message, details }: Status): string {
  const causes = (details?.causes ?? []).filter((cause) => cause.message);
  if (causes.length === 0) return `${message} (${code})`;
  return `${causes.map((cause) => [cause.field, cause.message].filter(Boolean).join(": ")).join("; ")} (${code})`;
}

function hint({ code, message = "", details }: Status): string {
  if (code === 409 && details?.causes?.some(({ reason }) => reason === "FieldManagerConflict")) {
    return '. Leave the field out of the program, or take it over with the annotation pulumi.com/patchForce: "true"';
  }
  if (message.includes("immutable") || message.includes("updates to statefulset spec")) {
    return ". Replace the resource (replaceOnChanges), or undo the change";
  }
  if (code === 404) {
    return details?.kind === "namespaces"
      ? ". Create the namespace first: use its metadata.name, or dependsOn"
      : ". It was deleted behind Pulumi's back: run pulumi refresh";
  }
  if (code === 401) return ". The kubeconfig's credentials are not valid for this cluster";
  if (code === 403 && message.includes(" cannot ")) {
    return ". Grant the kubeconfig's user this verb, or use another context";
  }
  return "";
}
