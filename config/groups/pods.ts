import { z } from "zod";
import { group } from "../fields";

export const pods = group("What the cluster asks of all pods", {
  pullSecrets: z
    .array(z.string())
    .default([])
    .describe("Secrets of the namespace with passwords of the images' registries; build's is made"),
});
