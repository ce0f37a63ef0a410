import type * as pulumi from "@pulumi/pulumi";
import type { Server } from "../network/flows";

/** A store as its clients see it, be it a pod or a server of AWS. */
export interface Store {
  /** With user and password, secret. */
  url: pulumi.Input<string>;
  server: Server;
}
