import * as ecr from "@pulumi/aws/ecr";
import { type ComponentResourceOptions, getStack, type Input, type Output } from "@pulumi/pulumi";
import { RegistryCredentials } from "../components/kubernetes/registryCredentials";
import { GpuImage } from "../components/service/gpuImage";
import { ecrHost } from "../components/vendors";
import type { Config } from "../config";

/** An image of docker/service: built and pushed, or the given one. */
export function serviceImage(
  config: Config,
  target: "api" | "worker",
  options: ComponentResourceOptions,
): Output<string> {
  const { build, images } = config;
  const { repository } = build;
  const recipe = {
    repository,
    target,
    tag: `${getStack()}-${target}`,
    context: "docker/service",
    registry: registry(config, options),
  };
  return new GpuImage(`${target}-image`, { image: repository ? recipe : images[target] }, options)
    .reference;
}

/** Who pushes: the configured user, or for ECR whoever runs the program. */
function registry({ build, secrets }: Config, options: ComponentResourceOptions) {
  const { server, username } = build;
  if (!ecrHost.test(server)) return { server, username, password: secrets.registryPassword };
  const token = ecr.getAuthorizationTokenOutput({ registryId: server.split(".")[0] }, options);
  return { server, username: token.userName, password: token.password };
}

/** Names of the Secrets with which nodes fetch images. */
export function pullSecrets(config: Config, options: ComponentResourceOptions): Input<string>[] {
  const { build, namespace, pods, secrets } = config;
  const { repository, server, username } = build;
  if (!repository || ecrHost.test(server)) return pods.pullSecrets;
  const credentials = new RegistryCredentials(
    "registry",
    { namespace, server, username, password: secrets.registryPassword },
    options,
  );
  return [credentials.secretName, ...pods.pullSecrets];
}
