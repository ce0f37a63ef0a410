import * as iam from "@pulumi/aws/iam";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import type { Keys } from "../stores/bucket";
import { allow, type BucketAccess } from "./bucketAccess";

export interface BucketUserArgs extends ComponentArgs {
  access: BucketAccess[];
}

/** A user of IAM with keys that live until they are replaced, where pods can't take on a role. */
export class BucketUser extends Component {
  readonly keys: Keys;

  constructor(name: string, args: BucketUserArgs, opts?: pulumi.ComponentResourceOptions) {
    super("BucketUser", name, args, opts);
    const user = new iam.User(`${name}-identity`, {}, this.child);
    const policy = allow(args.access);
    new iam.UserPolicy(`${name}-policy`, { user: user.name, policy }, this.child);
    const key = new iam.AccessKey(`${name}-key`, { user: user.name }, this.child);
    this.keys = { accessKeyId: key.id, secretAccessKey: key.secret };
    this.registerOutputs({ keys: this.keys });
  }
}
