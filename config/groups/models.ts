import { z } from "zod";
import { group, image, resources, volume } from "../fields";

/** Models that need no revision: the one whose files are known by hash, and the one made by code. */
export const knownModels = {
  sdxl: "stabilityai/stable-diffusion-xl-base-1.0",
  tiny: "tiny-sdxl",
};

export const revision = z.string().regex(/^([0-9a-f]{40})?$/, "must be a commit: 40 hex digits");

const commit = z.string().regex(/^[0-9a-f]{40}$/, "must be a commit: 40 hex digits");
const repository = z
  .string()
  .regex(/^\w[\w.-]*\/\w[\w.-]*$/, "must be a repository like OWNER/NAME");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256: 64 hex digits");

/** A small model beside the one that draws; its repository has config.json and model.safetensors. */
const companion = z.strictObject({
  repository,
  revision: commit,
  sha256,
});

const lora = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be of letters, digits, dots, dashes and underscores"),
  repository,
  revision: commit,
  file: z
    .string()
    .regex(/^(\w[\w.-]*\/)*\w[\w.-]*\.safetensors$/, "must be the path of a safetensors file"),
  sha256,
});

const steps = z.int().min(1).max(100);
const guidance = z.number().min(0).max(30);

/** How a model that was distilled to few steps is asked. */
const sampling = z.strictObject({
  model: repository,
  steps,
  maxSteps: steps,
  guidanceScale: guidance,
  maxGuidanceScale: guidance,
  side: z.int().min(256).max(1536).multipleOf(8),
});

export const models = group("Where the weights come from, and the volume that holds them", {
  endpoint: z
    .url({
      protocol: /^(https?|s3)$/,
      error: "must be a URL like https://mirror.example or s3://bucket/folder",
    })
    .default("https://huggingface.co")
    .describe(
      "The hub that they are fetched from, a mirror of it, or a bucket of AWS: s3://BUCKET",
    ),
  gated: z
    .boolean()
    .default(false)
    .describe("The hub asks who fetches them: with the secret hubToken"),
  revision: revision
    .default("")
    .describe("Commit of workers.model's repository; may be empty for the default model"),
  sampling: z
    .array(sampling)
    .default([])
    .describe(
      "Models of few steps, such as SDXL-Turbo: each has its model; the steps, guidanceScale and side in pixels of requests that name none; and the most that they may name, maxSteps and maxGuidanceScale",
    ),
  loras: z
    .array(lora)
    .default([])
    .describe(
      "What requests may name besides a model: each has a name, and its repository, revision, file and sha256",
    ),
  safetyChecker: companion
    .optional()
    .describe(
      "Looks at each picture before it is stored, and what it flags is black: repository, revision, and sha256 of its model.safetensors",
    ),
  upscaler: companion
    .optional()
    .describe("Makes pictures twice as wide and high, for requests with upscale: the same of it"),
  image: image.describe(
    "An image made of docker/models that holds the weights in place of a volume, by digest: each node keeps a copy (Kubernetes 1.35 or newer); empty: a volume, filled from the hub",
  ),
  ...volume("30Gi"),
  accessMode: z
    .enum(["ReadWriteMany", "ReadWriteOnce"])
    .default("ReadWriteMany")
    .describe("ReadWriteOnce is enough where all workers run on one node"),
  resources: resources("500m", "1Gi", "4Gi"),
});
