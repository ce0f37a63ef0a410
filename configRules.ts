import type { z } from "zod";
import type { images, schema, secrets } from "./configSchema";

type Values = z.infer<typeof schema>;

/** Something wrong with the configuration. */
export interface Fault {
  key: string;
  /** Its value, or that it is missing. */
  is: string;
  /** What is wrong with that. */
  but?: string;
  /** Arguments of `pulumi config` that mend it. */
  fix: string;
}

/** What no key tells alone. It is asked when the groups that it reads are right in themselves. */
export interface Rule {
  reads: (keyof Values)[];
  faults(config: Values): Fault[];
}

function rule<Key extends keyof Values>(
  reads: Key[],
  faults: (config: Pick<Values, Key>) => (Fault | false)[],
): Rule {
  return { reads, faults: (config) => faults(config).filter((fault) => fault !== false) };
}

/** What decides whether an image or a secret is needed. */
interface Condition {
  reads: keyof Values;
  holds(config: Values): boolean;
  /** The key that asks for it. */
  because: string;
}

const alerting: Condition = {
  reads: "monitoring",
  holds: ({ monitoring }) => monitoring.alertmanager,
  because: "monitoring.alertmanager is true",
};

/** Every other image is always needed. */
const imagesNeeded: Partial<Record<keyof typeof images, Condition>> = {
  alertmanager: alerting,
};

/** Every other secret is always needed. */
export const secretsNeeded: Partial<Record<keyof typeof secrets, Condition>> = {
  alertWebhook: alerting,
};

const groupsOfPods = ["api", "workers", "nginx"] as const;

export const rules: Rule[] = [
  ...groupsOfPods.map((group) =>
    rule([group], ({ [group]: { replicas, minAvailable } }) => [
      minAvailable >= replicas && {
        key: `${group}.minAvailable`,
        is: String(minAvailable),
        but: `must be below ${group}.replicas, ${replicas}, or no node can be drained`,
        fix: `set --path ${group}.minAvailable ${replicas - 1}`,
      },
    ]),
  ),
  ...Object.entries(imagesNeeded).map(([name, { reads, holds, because }]) => ({
    reads: ["images", reads] satisfies (keyof Values)[],
    faults: (config: Values) =>
      holds(config) && !config.images[name as keyof typeof images]
        ? [
            {
              key: `images.${name}`,
              is: "missing",
              but: because,
              fix: `set --path images.${name} VALUE`,
            },
          ]
        : [],
  })),
];
