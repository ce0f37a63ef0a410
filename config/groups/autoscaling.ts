import { z } from "zod";
import { group, pods } from "../fields";

const cron = z.string().regex(/^\S+( \S+){4}$/, "must be five fields of cron, like 0 8 * * 1-5");

export const autoscaling = group("As many workers as there is work; instead of replicas", {
  by: z
    .enum(["keda", "hpa"])
    .default("keda")
    .describe("keda 2.17 or later; or hpa, with an adapter that serves Prometheus' metrics to it"),
  min: pods.min(0).default(1).describe("Fewest pods; 0 costs the first task the start"),
  max: pods.min(0).default(0).describe("Most pods; 0: no autoscaling"),
  targetSeconds: z
    .int()
    .min(1)
    .default(30)
    .describe("Seconds of work, waiting and in hand, for each worker; with more there are more"),
  cooldownSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(300)
    .describe("How long there has to be less work before there are fewer"),
  schedules: z
    .array(
      z.strictObject({
        timeZone: z.string().default("Etc/UTC"),
        start: cron,
        end: cron,
        replicas: pods.min(1),
      }),
    )
    .default([])
    .describe("Times with more pods at least: start and end as cron, timeZone and replicas"),
  kedaNamespace: z.string().default("keda").describe("Namespace of KEDA's pods, which ask the api"),
});
