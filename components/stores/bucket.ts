import type * as pulumi from "@pulumi/pulumi";
import type { Server } from "../network/flows";

/** A bucket and what is needed to use it. */
export interface Bucket {
  name: pulumi.Input<string>;
  region: pulumi.Input<string>;
  /** URL of an S3-compatible server. @default AWS */
  endpoint?: string;
  server: Server;
  accessKeyId: pulumi.Input<string>;
  secretAccessKey: pulumi.Input<string>;
}
