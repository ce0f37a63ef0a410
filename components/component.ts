import * as pulumi from "@pulumi/pulumi";
import type { Flow } from "./network/flows";
import type { Alert } from "./observability/alerts";
import type { ScrapeTarget } from "./observability/prometheusConfig";

export interface ComponentArgs {
  /**
   * Has the last word on the arguments and options of every resource in the component.
   * @default none
   */
  transform?: pulumi.ResourceTransform;
}

/**
 * What all components share: their type's prefix, the escape hatch, the children's parent, and what
 * they tell NetworkPolicies and Monitoring of themselves.
 */
export abstract class Component extends pulumi.ComponentResource {
  /** Connections that its pods open, and those that a place opens to them. */
  readonly flows: Flow[] = [];
  /** When somebody is told of it. */
  readonly alerts: Alert[] = [];
  /** Where its metrics are. */
  readonly targets: ScrapeTarget[] = [];
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
