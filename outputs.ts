import * as pulumi from "@pulumi/pulumi";

/** What other stacks may rely on. Renaming or removing one is a breaking change: raise `version`. */
export interface Outputs {
  /** Version of this contract. */
  version: typeof version;
  /** URL under which clients reach the service. */
  endpoint: pulumi.Input<string>;
  namespace: pulumi.Input<string>;
  /** URL of the service inside the cluster. */
  internalService: pulumi.Input<string>;
  /** URL of Prometheus inside the cluster; "": an operator's, which the stack does not know. */
  prometheus: pulumi.Input<string>;
  /** URL of the log store inside the cluster; "": there is none. */
  logs: pulumi.Input<string>;
  /** URL of the S3 endpoint that holds the pictures. */
  objectStore: pulumi.Input<string>;
  /** Name of the bucket there. */
  bucket: pulumi.Input<string>;
  /** postgresql://…, secret. */
  database: pulumi.Output<string>;
  /** redis://… or rediss://…, secret. */
  queue: pulumi.Output<string>;
}

export const version = 1;

type Read = { [Name in Exclude<keyof Outputs, "version">]: pulumi.Output<string> };

/**
 * The outputs of an image-service stack, for a program that depends on it; secrets stay secret.
 * An update fails where one is missing, or where that stack speaks another version.
 */
export function readOutputs(stack: pulumi.StackReference): Read {
  const spoken = stack.requireOutput("version").apply(assertVersion);
  const read = (name: keyof Read): pulumi.Output<string> =>
    spoken.apply(() => stack.requireOutput(name)) as pulumi.Output<string>;
  return {
    endpoint: read("endpoint"),
    namespace: read("namespace"),
    internalService: read("internalService"),
    prometheus: read("prometheus"),
    logs: read("logs"),
    objectStore: read("objectStore"),
    bucket: read("bucket"),
    database: read("database"),
    queue: read("queue"),
  };
}

/** @throws unless a stack's outputs are of the version that this file describes */
export function assertVersion(found: unknown): void {
  if (found === version) return;
  throw new pulumi.RunError(
    `the outputs of the stack have version ${found}, but ${version} is read; fix: take outputs.ts of the release that the stack runs`,
  );
}
