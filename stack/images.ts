import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { GpuImage } from "../components/service/gpuImage";
import type { Config } from "../config";

/** An image of docker/service: built and pushed, or the given one. */
export function serviceImage(
  { build, images, secrets }: Config,
  target: "api" | "worker",
  options: ComponentResourceOptions,
): Output<string> {
  const { repository, server, username, onPreview } = build;
  const recipe = {
    repository,
    target,
    context: "docker/service",
    registry: { server, username, password: secrets.registryPassword },
    buildOnPreview: onPreview,
  };
  return new GpuImage(`${target}-image`, { image: repository ? recipe : images[target] }, options)
    .reference;
}
