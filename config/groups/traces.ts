import { z } from "zod";
import { group } from "../fields";

export const traces = group("What requests go through, by OpenTelemetry", {
  endpoint: z
    .string()
    .regex(/^(https?:\/\/[^\s/?#]+)?$/, "must be like http://collector.observability.svc:4318")
    .default("")
    .describe(
      "URL of a collector that takes OTLP over HTTP, with the port of its pods; empty: nothing is traced",
    ),
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("Share of requests that are traced, of those that come without a trace of their own"),
});
