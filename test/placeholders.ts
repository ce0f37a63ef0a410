import { images } from "../config/groups/images";
import { secrets } from "../config/secrets";

// What no committed stack file holds, since it is each user's own.

export const project = "image-service";

/** Values of configuration, by the path of their key. */
export type Values = Record<string, unknown>;

/** A configuration key as stack files write it. */
export const fullKey = (name: string) => `${project}:${name}`;

export const secretValues: Record<string, string> = Object.fromEntries(
  Object.keys(secrets).map((name) => [name, `the${name}`]),
);

/** All that Pulumi.prod.yaml lacks but for secrets: the five values that only its owner knows. */
export const ownValues = {
  endpoint: "https://images.example.com",
  context: "arn:aws:eks:eu-central-1:111122223333:cluster/the-cluster",
  podNetwork: "10.0.0.0/8",
  build: { repository: "111122223333.dkr.ecr.eu-central-1.amazonaws.com/image-service" },
  cloudflare: { zoneId: "zone" },
};

/** A stack file's values with others beside them, or in the same group. */
export function withValues(config: Values, values: Record<string, unknown>): Values {
  const merged = Object.entries(values).map(([name, value]) => {
    const key = fullKey(name);
    const group = typeof value === "object" && value !== null;
    return [key, group ? { ...value, ...(config[key] as object) } : (config[key] ?? value)];
  });
  return { ...config, ...Object.fromEntries(merged) };
}

/** The stack file's values, with placeholders for what it lacks and for the images of others. */
export function withPlaceholders(stack: string, config: Values): Values {
  const image = (name: string) => `registry.example/${name}@sha256:${"0".repeat(64)}`;
  return withValues(config, {
    ...(["prod", "staging"].includes(stack) ? ownValues : { context: ownValues.context }),
    images: Object.fromEntries(Object.keys(images).map((name) => [name, image(name)])),
  });
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
