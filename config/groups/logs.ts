import { z } from "zod";
import { group, resources, volume } from "../fields";

export const logs = group("The logs of all pods in one place", {
  enabled: z
    .boolean()
    .default(false)
    .describe("VictoriaLogs, and on each node vlagent, which reads the stack's logs there as root"),
  retention: z
    .string()
    .regex(/^\d+[dwy]$/, "must be like 14d")
    .default("14d")
    .describe("How long they are kept; less where four fifths of the volume are full"),
  ...volume("20Gi"),
  resources: resources("50m", "128Mi", "512Mi"),
  collectorResources: resources("20m", "32Mi", "128Mi"),
});
