import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
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
      typeof image === "string" ? pulumi.output(image) : build(name, image, this.child).repoDigest;
    this.registerOutputs({ reference: this.reference });
  }
}

function build(name: string, from: ImageBuild, opts: pulumi.CustomResourceOptions): docker.Image {
  const imageName = `${from.repository}:${from.tag}`;
  return new docker.Image(
    `${name}-build`,
    {
      imageName,
      registry: from.registry,
      // A preview that builds knows an image's id, but no digest until it is pushed.
      buildOnPreview: false,
      build: {
        context: from.context,
        target: from.target,
        platform: "linux/amd64",
        builderVersion: "BuilderBuildKit",
        // The pushed image carries its cache, so that a new machine builds only what has changed.
        args: { BUILDKIT_INLINE_CACHE: "1", BASE_IMAGE: from.baseImage },
        cacheFrom: { images: [imageName] },
      },
    },
    opts,
  );
}
