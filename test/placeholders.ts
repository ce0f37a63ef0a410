import { images, secrets } from "../config/schema";

// What no committed stack file holds, since it is each user's own.

export const project = "image-service";

/** Values of configuration, by the path of their key. */
export type Values = Record<string, unknown>;

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
    [fullKey("context")]: "the-cluster",
    [fullKey("images")]: Object.fromEntries(Object.keys(images).map((name) => [name, image(name)])),
    [cloudflare]: { accountId: "account", zoneId: "zone", ...config[cloudflare] },
  };
}

/** Gives a key of a stack file's configuration another value; groups are copied, not changed. */
export function overlay(config: Values, path: string, value: unknown): void {
  set(config, fullKey(path).split("."), value);
}

function set(values: Values, [key, ...rest]: string[], value: unknown): void {
  const name = key as string;
  if (rest.length === 0) {
    values[name] = value;
    return;
  }
  const group = { ...(values[name] as Values) };
  values[name] = group;
  set(group, rest, value);
}
