import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { schema } from "./schema";

/** What another stack hands over in its output `configuration`: keys as in a stack file. */
export type Infrastructure = Handed<z.input<typeof schema>>;

type Handed<Value> = Value extends (infer Item)[]
  ? pulumi.Input<pulumi.Input<Item>[]>
  : Value extends object
    ? { [Key in keyof Value]?: Handed<Value[Key]> }
    : pulumi.Input<Value>;

/**
 * What the stack that the key `infrastructure` names hands over; nothing where it names none.
 * @throws RunError when that stack hands over nothing
 */
export async function handedOver(): Promise<object> {
  const name = new pulumi.Config().get("infrastructure");
  if (!name) return {};
  const stack = new pulumi.StackReference("infrastructure", { name });
  const { value } = await stack.getOutputDetails("configuration");
  if (isGroup(value)) return value;
  throw new pulumi.RunError(
    `infrastructure is ${name}, but that stack has no output named configuration; fix: pulumi up there, or pulumi config rm infrastructure`,
  );
}

/** A stack's own values, and the others where its own are empty. */
export function fill(own: unknown, others: unknown): unknown {
  if (isGroup(own) && isGroup(others)) {
    const keys = [...new Set([...Object.keys(own), ...Object.keys(others)])];
    return Object.fromEntries(keys.map((key) => [key, fill(own[key], others[key])]));
  }
  return isEmpty(own) ? (others ?? own) : own;
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown) =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
