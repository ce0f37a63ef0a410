import type { z } from "zod";
import type { schema } from "../schema";

export type Values = z.infer<typeof schema>;
type Given = Record<string, unknown>;

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
  /** `given` is what the stack file says, without defaults. */
  faults(config: Values, given: Given): Fault[];
}

/** What decides whether something is needed. */
export interface Condition {
  reads: (keyof Values)[];
  holds(config: Values): boolean;
  /** As a part of a sentence. */
  because: string;
}

export const condition = <Key extends keyof Values>(
  reads: Key[],
  because: string,
  holds: (config: Pick<Values, Key>) => boolean,
): Condition => ({ reads, because, holds });

export const at = (path: string, values: object) =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Given | undefined)?.[key], values);
export const groupOf = (path: string) => path.split(".")[0] as keyof Values;

export function rule<Key extends keyof Values>(
  reads: Key[],
  faults: (config: Pick<Values, Key>) => (Fault | false)[],
): Rule {
  return { reads, faults: (config) => faults(config).filter((fault) => fault !== false) };
}

/** More than once, in order. */
export const repeated = (values: string[]) =>
  values.filter((value, at) => values.indexOf(value) !== at);
