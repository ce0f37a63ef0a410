import type * as pulumi from "@pulumi/pulumi";
import type { Server } from "../network/flows";

/** A bucket and what is needed to use it. */
export interface Bucket {
  name: pulumi.Input<string>;
  region: pulumi.Input<string>;
  /** URL of an S3-compatible server. @default AWS */
  endpoint?: string;
  server: Server;
  /** Of a bucket of AWS. */
  arn?: pulumi.Input<string>;
  /** @default each pod has a role */
  keys?: Keys;
}

/** Of an S3-compatible server's user. */
export interface Keys {
  accessKeyId: pulumi.Input<string>;
  secretAccessKey: pulumi.Input<string>;
}
