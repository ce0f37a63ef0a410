import * as pulumi from "@pulumi/pulumi";

export interface ComponentArgs {
  /**
   * Has the last word on the arguments and options of every resource in the component.
   * @default none
   */
  transform?: pulumi.ResourceTransform;
}

/** What all components share: their type's prefix, the escape hatch, the children's parent. */
export abstract class Component extends pulumi.ComponentResource {
  /** Options of every child. */
  protected readonly child: pulumi.CustomResourceOptions = { parent: this };

  constructor(
    kind: string,
    name: string,
    args: ComponentArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const transforms = args.transform ? [args.transform] : [];
    super(
      `image-service:components:${kind}`,
      name,
      {},
      pulumi.mergeOptions(opts, { transforms }) as pulumi.ComponentResourceOptions,
    );
  }
}
