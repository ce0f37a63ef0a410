import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repository } from "./paths";
import type { ConfigValues } from "./stack";

/** Quick to follow, as the tiny model's tasks take seconds. */
const autoscaling = { min: 0, targetSeconds: 5, cooldownSeconds: 30 };

/** The workers of the committed Pulumi.local.yaml, but as many as there is work for, to `max`. */
export function autoscaled(max: number): ConfigValues {
  const { config } = parse(readFileSync(join(repository, "Pulumi.local.yaml"), "utf8")) as {
    config: Record<string, ConfigValues>;
  };
  const workers = config["image-service:workers"];
  return { workers: { ...workers, autoscaling: { ...autoscaling, max } } };
}
