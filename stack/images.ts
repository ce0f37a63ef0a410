import * as ecr from "@pulumi/aws/ecr";
import { type ComponentResourceOptions, getStack, type Input, type Output } from "@pulumi/pulumi";
import { RegistryCredentials } from "../components/kubernetes/registryCredentials";
import { GpuImage } from "../components/service/gpuImage";
import { ecrHost, registryHost } from "../components/vendors";
import type { Config } from "../config";
import { promotedImage } from "../config/pools";
import { published } from "../docker/images";

/** What this repository builds, by its key in `images`. */
const recipes = {
  api: { context: "docker/service", target: "api", baseImage: published.debian },
  worker: { context: "docker/service", target: "worker", baseImage: published.debian },
  postgres: { context: "docker/postgres", baseImage: published.postgres },
  backup: { context: "docker/backup", baseImage: published.postgres },
};

/** An image of this repository: built and pushed, or the given one. */
export function ownImage(
  config: Config,
  image: keyof typeof recipes,
  options: ComponentResourceOptions,
): Output<string> {
  const { build, images, workers } = config;
  const { repository } = build;
  const recipe = {
    ...recipes[image],
    repository,
    tag: `${getStack()}-${image}`,
    registry: registry(config, options),
  };
  const given = (image === "worker" && promotedImage(workers)) || (!repository && images[image]);
  return new GpuImage(`${image}-image`, { image: given || recipe }, options).reference;
}

/** Who pushes: the configured user, or for ECR whoever runs the program. */
function registry({ build, secrets }: Config, options: ComponentResourceOptions) {
  const { repository, username } = build;
  const server = registryHost(repository);
  if (!ecrHost.test(server)) return { server, username, password: secrets.registryPassword };
  const token = ecr.getAuthorizationTokenOutput({ registryId: server.split(".")[0] }, options);
  return { server, username: token.userName, password: token.password };
}

/** Names of the Secrets with which nodes fetch images. */
export function pullSecrets(config: Config, options: ComponentResourceOptions): Input<string>[] {
  const { build, namespace, pods, secrets } = config;
  const { repository, username } = build;
  const server = registryHost(repository);
  if (!repository || ecrHost.test(server)) return pods.pullSecrets;
  const credentials = new RegistryCredentials(
    "registry",
    { namespace, server, username, password: secrets.registryPassword },
    options,
  );
  return [credentials.secretName, ...pods.pullSecrets];
}
