import { Image } from "@pulumi/docker-build/image";
import * as pulumi from "@pulumi/pulumi";
import { unknown } from "@pulumi/pulumi/output";
import { Component, type ComponentArgs } from "../component";

export interface GpuImageArgs extends ComponentArgs {
  /** How it is built; or the reference, by digest, of one that is built already. */
  image: string | ImageBuild;
}

export interface ImageBuild {
  /** Where the image is pushed, without a tag: "registry.example/image-service". */
  repository: string;
  /** Directory of the Dockerfile and of all that goes into the image. */
  context: string;
  /** What it is built on, by digest: the Dockerfile's argument `BASE_IMAGE`. */
  baseImage: string;
  /** Stage of the Dockerfile. @default the last */
  target?: string;
  /** Under which the next build finds its cache; another stack's would take the image's only tag. */
  tag: string;
  registry: {
    /** Host of the registry; "": Docker Hub. */
    server: string;
    username: pulumi.Input<string>;
    password: pulumi.Input<string>;
  };
}

/** An image of the service, for pods: always by digest, so that a rollout is what was previewed. */
export class GpuImage extends Component {
  /** repository@sha256:… */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: GpuImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("GpuImage", name, args, opts);
    const { image } = args;
    this.reference =
      typeof image === "string" ? pulumi.output(image) : build(name, image, this.child);
    this.registerOutputs({ reference: this.reference });
  }
}

/** By any builder of buildx but the Docker daemon's own: a container, Kubernetes or a remote one. */
function build(
  name: string,
  from: ImageBuild,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const tag = `${from.repository}:${from.tag}`;
  const { server, username, password } = from.registry;
  const { digest } = new Image(
    `${name}-build`,
    {
      context: { location: from.context },
      target: from.target,
      buildArgs: { BASE_IMAGE: from.baseImage },
      platforms: ["linux/amd64"],
      tags: [tag],
      push: true,
      registries: [{ address: server || "docker.io", username, password }],
      // A preview that builds pushes nothing, and so knows no digest.
      buildOnPreview: false,
      // The pushed image carries its cache, so that a new machine builds only what has changed.
      cacheTo: [{ inline: {} }],
      cacheFrom: [{ registry: { ref: tag } }],
    },
    // Another stack's pods, or the ones before a roll back, may still run what has this tag.
    { ...opts, retainOnDelete: true },
  );
  return digest.apply((sum) => {
    // In a preview of changed files the plugin answers "" where it doesn't know the digest.
    // https://github.com/pulumi/pulumi-docker-build/blob/v0.0.22/provider/internal/image.go, Update
    if (!sum) return unknown as unknown as string;
    return `${from.repository}@${sum}`;
  });
}
