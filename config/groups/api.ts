import { z } from "zod";
import { availability, group, resources } from "../fields";

/** Buckets of aigc_completion_seconds (docker/service/core/metrics.py). */
export const inTimeSeconds = [1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600];

export const api = group("The pods that answer HTTP", {
  ...availability(2),
  maxWaitSeconds: z
    .int()
    .min(1)
    .max(300)
    .default(295)
    .describe("Longest wait for a picture in one request, in seconds; 90 behind Cloudflare"),
  rateLimit: z
    .string()
    .regex(/^\d+\/minute$/, "must be like 10/minute")
    .default("10/minute")
    .describe("Requests for pictures from one client address"),
  corsOrigins: z
    .array(
      z
        .string()
        .regex(/^(\*|https?:\/\/[a-z0-9.:[\]-]+)$/, "must be like https://app.example, or *"),
    )
    .default([])
    .describe("Origins of web pages that may call the api from a browser, or *; empty: none"),
  objective: z
    .number()
    .min(90)
    .max(99.99)
    .default(99)
    .describe("Percent of the requests for pictures that succeed, over 30 days; alerts follow it"),
  inTime: group("How many tasks have their pictures in time, over 30 days; alerts follow it", {
    objective: z
      .number()
      .min(50)
      .max(99.9)
      .default(95)
      .describe("Percent of the tasks that succeed"),
    seconds: z
      .literal(inTimeSeconds)
      .default(60)
      .describe(`From acceptance to the last picture: ${inTimeSeconds.join(", ")}`),
  }),
  webhooks: z
    .boolean()
    .default(false)
    .describe(
      "Requests may name a webhook, to which the api connects by https; with the secret webhookSecret",
    ),
  uploads: z
    .boolean()
    .default(false)
    .describe("Requests may name addresses, to which the api sends their pictures by https"),
  fetches: z
    .boolean()
    .default(false)
    .describe(
      "Requests may name the addresses of pictures to draw from, which the api fetches by https",
    ),
  maxInput: z
    .int()
    .min(1)
    .max(50)
    .default(10)
    .describe("Largest picture to draw from, in MiB; nginx takes as much"),
  resources: resources("100m", "128Mi", "512Mi"),
});
