import { z } from "zod";
import { group } from "../fields";

export const retention = group("How long what is made is kept", {
  pictures: z
    .int()
    .min(0)
    .default(0)
    .describe("Days; 0 keeps, as a bucket of objectStore.bucket does by its own rules"),
});
