import { z } from "zod";
import { availability, group, resources } from "../fields";

export const cloudflare = group("What stands before nginx", {
  mode: z
    .enum(["off", "tunnel", "proxied"])
    .default("off")
    .describe("A tunnel that the cluster dials, or proxied DNS to nginx's load balancer"),
  zoneId: z.string().default("").describe("Zone that endpoint is a host in"),
  plan: z
    .enum(["free", "pro", "business", "enterprise"])
    .default("free")
    .describe("The zone's plan, which decides what rules it can have"),
  zoneRules: z
    .boolean()
    .default(true)
    .describe("Make the zone's settings and rules; false: another stack in the zone has made them"),
  rateLimit: z
    .int()
    .min(1)
    .default(60)
    .describe("Requests for pictures a minute from one address that Cloudflare lets through"),
  tunnel: group("The pods that dial", {
    ...availability(2),
    resources: resources("50m", "64Mi", "256Mi"),
  }),
});
