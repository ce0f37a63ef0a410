import { describe, expect, test } from "vitest";
import type { Props, Resource } from "../../../policy/resource";
import { rules } from "../../../policy/rules";
import { accepted, stacks } from "../../golden/stacks";

describe.each(stacks)("the stack %s", (stack) => {
  test.each(Object.entries(accepted(stack)))("keeps to every rule: %s", (name, declaration) => {
    const resource: Resource = {
      type: declaration.type,
      name,
      stack,
      props: plain(declaration.inputs) as Props,
      protect: declaration.protect ?? false,
    };
    expect(rules.flatMap(({ violations }) => violations(resource))).toEqual([]);
  });
});

/** Golden files mark secrets and split text into lines. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("secret" in value) return plain(value.secret);
  if ("lines" in value) return (value.lines as string[]).join("\n");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
