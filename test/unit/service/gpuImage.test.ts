import { expect, test } from "vitest";
import { GpuImage, type ImageBuild } from "../../../components/service/gpuImage";
import { declared, resolved } from "../declared";

const base = `registry.example/debian@sha256:${"3".repeat(64)}`;
const build: ImageBuild = {
  repository: "registry.example/service",
  context: "docker/service",
  baseImage: base,
  target: "worker",
  tag: "prod-worker",
  registry: { server: "registry.example", username: "pusher", password: "a password" },
};

test("an image is built with the registry's cache, pushed, and named by its digest", async () => {
  const { made, inputs } = await declared(() => new GpuImage("worker-image", { image: build }));
  expect(inputs["worker-image-build"]).toMatchObject({
    imageName: "registry.example/service:prod-worker",
    build: {
      context: "docker/service",
      target: "worker",
      builderVersion: "BuilderBuildKit",
      args: { BUILDKIT_INLINE_CACHE: "1", BASE_IMAGE: base },
      cacheFrom: { images: ["registry.example/service:prod-worker"] },
    },
  });
  expect(await resolved(made.reference)).toMatch(/^registry\.example\/service@sha256:/);
});

test("a given digest is taken as it is, and nothing is built", async () => {
  const image = `registry.example/service@sha256:${"2".repeat(64)}`;
  const { made, inputs } = await declared(() => new GpuImage("worker-image", { image }));
  expect(Object.keys(inputs)).toEqual(["worker-image"]);
  expect(await resolved(made.reference)).toBe(image);
});
