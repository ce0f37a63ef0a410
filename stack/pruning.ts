import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { Pruning } from "../components/service/pruning";
import type { ServiceSettings } from "../components/service/serviceSettings";
import type { Config } from "../config";

/** Deletes pictures in time, where the bucket does not. */
export function makePruning(
  { namespace, objectStore, retention }: Config,
  image: Output<string>,
  settings: ServiceSettings,
  options: ComponentResourceOptions,
): Pruning[] {
  if (retention.pictures === 0 || objectStore.managed) return [];
  return [
    new Pruning("pruning", { namespace, image, settings, days: retention.pictures }, options),
  ];
}
