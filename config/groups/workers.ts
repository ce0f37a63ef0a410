import { z } from "zod";
import { availability, group, image, pods, resources, toleration } from "../fields";
import { autoscaling } from "./autoscaling";
import { knownModels, revision } from "./models";

const model = z
  .string()
  .regex(/^(tiny-sdxl|\w[\w.-]*\/\w[\w.-]*)$/, "must be a repository like OWNER/NAME");
const nodeSelector = z.record(z.string(), z.string());

const gpuPrice = z.number().min(0);

/** What a pool doesn't say is as the other workers have it. */
const pool = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$/, "must be a short DNS label"),
  model: model.optional(),
  revision: revision.optional(),
  replicas: pods.min(1).optional(),
  autoscaling: autoscaling,
  gpuPrice: gpuPrice.optional(),
  nodeSelector: nodeSelector.optional(),
  tolerations: z.array(toleration).optional(),
});

const canary = group("Workers on trial, with another image or model, for a share of the tasks", {
  stage: z
    .enum(["off", "trial", "promoted"])
    .default("off")
    .describe(
      "off: none of it; trial: beside the other workers; promoted: all workers are like it",
    ),
  share: z
    .number()
    .min(0.01)
    .max(0.5)
    .default(0.05)
    .describe("Of the tasks that name no model, those that it draws, from 0.01 to 0.5"),
  replicas: pods.min(1).default(1).describe("Pods"),
  image: image.describe("In place of images.worker, by digest; empty: the others' image"),
  model: model.optional().describe("In place of workers.model"),
  revision: revision.optional().describe("In place of models.revision"),
});

export const workers = group("The pods that draw, one GPU each", {
  ...availability(4),
  autoscaling,
  pools: z
    .array(pool)
    .default([])
    .describe(
      "More workers, with another model or on other nodes: each has a name, and of its own what differs of model, revision, replicas, autoscaling, gpuPrice, nodeSelector and tolerations",
    ),
  canary,
  model: model
    .default(knownModels.sdxl)
    .describe(
      "Repository of an SDXL pipeline, in diffusers' form with safetensors; or tiny-sdxl, which draws coloured shapes",
    ),
  threads: z.int().min(0).default(0).describe("CPU threads of the model; 0: one per core"),
  compiledSizes: z
    .array(z.string().regex(/^\d+x\d+$/, "must be WIDTHxHEIGHT like 1024x1024"))
    .default(["1024x1024"])
    .describe("Sizes that the model is compiled for, the quickest to draw"),
  compile: z
    .enum(["whole", "regional", "off"])
    .default("regional")
    .describe(
      "What is compiled while a worker draws uncompiled: each sort of block, or the whole model, which takes longer",
    ),
  compileSeconds: z
    .int()
    .min(1)
    .max(1500)
    .default(900)
    .describe("Time for the compiler, after which a worker goes on uncompiled"),
  precision: z
    .enum(["half", "fp8"])
    .default("half")
    .describe("fp8 is quicker on the newest GPUs and changes pictures slightly"),
  stepCache: z
    .boolean()
    .default(false)
    .describe("Skip what hardly changes between steps: quicker, changes pictures slightly"),
  promptWeights: z
    .boolean()
    .default(false)
    .describe("(word:1.3) in a prompt makes the word count more; else it is plain text"),
  contentCredentials: z
    .boolean()
    .default(false)
    .describe(
      "Each picture says, signed, that a model drew it (C2PA); with the secrets c2paCertificates and c2paKey",
    ),
  nodeSelector: nodeSelector
    .default({})
    .describe("Labels of the nodes that may run them, besides having a GPU"),
  tolerations: z
    .array(toleration)
    .default([{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }])
    .describe("Taints of nodes that they put up with"),
  gpuPrice: gpuPrice
    .default(0)
    .describe("What an hour of a worker costs, its GPU and node, in your currency; 0: not known"),
  runtimeClass: z
    .string()
    .default("")
    .describe("RuntimeClass that gives GPUs, such as nvidia; empty: the nodes' default runtime"),
  resources: resources("1", "11Gi", "24Gi"),
});
