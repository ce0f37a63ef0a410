import { z } from "zod";
import { availability, group, resources } from "../fields";

export const nginx = group("The load balancer", {
  ...availability(2),
  serviceType: z
    .enum(["ClusterIP", "NodePort", "LoadBalancer"])
    .default("ClusterIP")
    .describe("How clients reach nginx: within the cluster, on every node, or by a cloud's"),
  nodePort: z
    .int()
    .max(32767)
    .default(0)
    .describe("Port on every node, 30000-32767; 0: Kubernetes chooses; only with NodePort"),
  maxBody: z
    .string()
    .regex(/^\d+[km]$/, "must be like 64k or 1m")
    .default("512k")
    .describe("Largest body of a request; the api takes 512k, which the longest prompts need"),
  resources: resources("50m", "64Mi", "256Mi"),
});
