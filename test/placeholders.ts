import { images } from "../config/groups/images";
import { secrets } from "../config/secrets";

// What no committed stack file holds, since it is each user's own.

export const project = "image-service";

/** A configuration key as stack files write it. */
export const fullKey = (name: string) => `${project}:${name}`;

export const secretValues: Record<string, string> = Object.fromEntries(
  Object.keys(secrets).map((name) => [name, `the${name}`]),
);

/** The stack file's values, with placeholders for the cluster, its network, images and Cloudflare's ids. */
export function withPlaceholders(config: Record<string, object>): Record<string, unknown> {
  const image = (name: string) => `registry.example/${name}@sha256:${"0".repeat(64)}`;
  const cloudflare = fullKey("cloudflare");
  return {
    [fullKey("podNetwork")]: "10.0.0.0/8",
    ...config,
    [fullKey("context")]: "arn:aws:eks:eu-central-1:111122223333:cluster/the-cluster",
    [fullKey("images")]: Object.fromEntries(Object.keys(images).map((name) => [name, image(name)])),
    [cloudflare]: { accountId: "account", zoneId: "zone", ...config[cloudflare] },
  };
}
