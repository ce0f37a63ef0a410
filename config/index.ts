import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { storePassword } from "../components/vendors";
import { fill } from "./infrastructure";
import { keyArgument, keyPath } from "./keyPath";
import { promoted } from "./pools";
import { rules } from "./rules";
import { secretsNeeded } from "./rules/needed";
import type { Fault } from "./rules/rule";
import { schema } from "./schema";
import { secrets } from "./secrets";

type Groups = z.infer<typeof schema>;

/** The stack's configuration, whole and checked. */
export type Config = Groups & {
  /** Empty where nothing of the stack needs it. */
  secrets: Record<keyof typeof secrets, pulumi.Output<string>>;
};

/** Its message lists every fault; thrown before any resource is registered. */
export class ConfigError extends pulumi.RunError {}

/**
 * The stack's configuration, checked as a whole.
 * @param others values where the stack's own are empty
 * @throws ConfigError with every fault: key, value and fix
 */
export function loadConfig(others: object = {}): Config {
  const config = new pulumi.Config();
  const given = fill(givenValues(config.name), others) as Values;
  const right = rightGroups(given);
  const { error, data } = schema.safeParse(omitSecrets(given));
  const faults = [
    ...(error?.issues ?? []).flatMap((issue) => describe(issue, given)),
    ...rules
      .filter(({ reads }) => reads.every((key) => key in right))
      .flatMap((rule) => rule.faults(right, given)),
    ...secretKeys.flatMap((key) => secretFaults(`${config.name}:${key}`, key, right)),
  ];
  if (!data || faults.length > 0) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    throw new ConfigError(
      `the configuration of stack ${pulumi.getStack()} has ${count}:\n${faults.map((fault) => `  - ${text(fault)}`).join("\n")}`,
    );
  }
  return {
    ...promoted(data),
    secrets: Object.fromEntries(
      secretKeys.map((key) => [key, config.getSecret(key) ?? pulumi.secret("")]),
    ) as Config["secrets"],
  };
}

export type SecretKey = keyof typeof secrets;
const passwords: SecretKey[] = ["databasePassword", "redisPassword"];
const secretKeys = Object.keys(secrets) as SecretKey[];

/** Groups that are right in themselves: rules can be asked about them, also when others are not. */
const rightGroups = (given: Values) =>
  Object.fromEntries(
    Object.entries(schema.shape).flatMap(([key, part]) => {
      const { success, data } = part.safeParse(given[key]);
      return success ? [[key, data]] : [];
    }),
  ) as Groups;

export type Values = Record<string, unknown>;

/** Whether a stack can't do without a secret, as far as groups that are wrong let it be told. */
function isNeeded(key: SecretKey, right: Groups): boolean {
  const condition = secretsNeeded[key];
  return !condition || (condition.reads.every((group) => group in right) && condition.holds(right));
}

/**
 * The secrets that a stack needs, and the groups of keys that are wrong, so that they can't tell
 * of others.
 * @param given the stack's other values, by key
 */
export function neededSecrets(given: Values): { needed: SecretKey[]; wrong: string[] } {
  const right = rightGroups(given);
  const deciding = secretKeys.flatMap((key) => secretsNeeded[key]?.reads ?? []);
  return {
    needed: secretKeys.filter((key) => isNeeded(key, right)),
    wrong: [...new Set(deciding)].filter((group) => !(group in right)),
  };
}

/** The project's keys of the stack file, and the defaults of Pulumi.yaml where it has none. */
function givenValues(project: string): Values {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      // Pulumi.yaml gives a key without a default as "", because the engine would stop at it alone.
      .filter(([, text]) => text !== "")
      .map(([key, text]) => [key.slice(prefix.length), parseValue(text)]),
  );
}

/** Pulumi hands every value over as text: JSON for objects, numbers and booleans. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const omitSecrets = (values: Values) =>
  Object.fromEntries(Object.entries(values).filter(([key]) => !(key in secrets)));

function secretFaults(fullKey: string, key: SecretKey, right: Groups): Fault[] {
  const fix = `set --secret ${key}`;
  if (!pulumi.runtime.getConfig(fullKey)) {
    const but = secretsNeeded[key]?.because;
    return isNeeded(key, right) ? [{ key, is: "missing", but, fix }] : [];
  }
  // Exported by the package, left out of its type declarations.
  const { isConfigSecret } = pulumi.runtime as unknown as {
    isConfigSecret(key: string): boolean;
  };
  if (!isConfigSecret(fullKey)) return [{ key, is: "in plain text", but: "must be secret", fix }];
  const value = pulumi.runtime.getConfig(fullKey) as string;
  return passwords.includes(key) && !storePassword.test(value)
    ? [{ key, is: "not 16 to 128 letters and digits", but: "it stands in a URL", fix }]
    : [];
}

/** What is wrong, and the command that mends it. */
function describe(issue: z.core.$ZodIssue, given: Values): Fault[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const unknown = [...path, key];
      return {
        ...at(unknown, given),
        but: "there is no such key",
        fix: `rm ${keyArgument(unknown)}`,
      };
    });
  }
  const found = at(path, given);
  const but = found.is === "missing" ? undefined : issue.message;
  return [{ ...found, but, fix: `set ${keyArgument(path)} VALUE` }];
}

function at(path: PropertyKey[], given: Values): Pick<Fault, "key" | "is"> {
  const value = path.reduce<unknown>((inner, key) => (inner as Values)?.[String(key)], given);
  return { key: keyPath(path), is: value === undefined ? "missing" : JSON.stringify(value) };
}

const text = ({ key, is, but, fix }: Fault) =>
  `${key} is ${is}${but ? `, but ${but}` : ""}; fix: pulumi config ${fix}`;
