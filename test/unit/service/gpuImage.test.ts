import { expect, test } from "vitest";
import { GpuImage, type ImageBuild } from "../../../components/service/gpuImage";
import { declared, isKnown, resolved } from "../declared";

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
    tags: ["registry.example/service:prod-worker"],
    push: true,
    context: { location: "docker/service" },
    target: "worker",
    buildArgs: { BASE_IMAGE: base },
    cacheTo: [{ inline: {} }],
    cacheFrom: [{ registry: { ref: "registry.example/service:prod-worker" } }],
  });
  expect(await resolved(made.reference)).toMatch(/^registry\.example\/service@sha256:/);
});

test("no Docker daemon is asked for: any builder of buildx will do", async () => {
  const { inputs } = await declared(() => new GpuImage("worker-image", { image: build }));
  const { builder, exec, load } = inputs["worker-image-build"] ?? {};
  expect([builder, exec, load]).toEqual([undefined, undefined, undefined]);
});

test("a preview builds nothing: it could know no digest, without which no pod is let through", async () => {
  const { inputs } = await declared(() => new GpuImage("worker-image", { image: build }));
  expect(inputs["worker-image-build"]?.buildOnPreview).toBe(false);
});

test("a preview of changed files, which knows no digest, names no image that there isn't", async () => {
  const { made } = await declared(() => new GpuImage("worker-image", { image: build }), {
    digest: "",
  });
  expect(await isKnown(made.reference)).toBe(false);
});

test("a given digest is taken as it is, and nothing is built", async () => {
  const image = `registry.example/service@sha256:${"2".repeat(64)}`;
  const { made, inputs } = await declared(() => new GpuImage("worker-image", { image }));
  expect(Object.keys(inputs)).toEqual(["worker-image"]);
  expect(await resolved(made.reference)).toBe(image);
});
