import type * as pulumi from "@pulumi/pulumi";

/** What other stacks may rely on. Renaming or removing one is a breaking change. */
export interface Outputs {
  /** URL under which clients reach the service. */
  endpoint: pulumi.Input<string>;
  namespace: pulumi.Input<string>;
  /** URL of the service inside the cluster. */
  internalService: pulumi.Input<string>;
  /** URL of Prometheus inside the cluster. */
  prometheus: pulumi.Input<string>;
  /** URL of the S3 endpoint inside the cluster. */
  objectStore: pulumi.Input<string>;
}
