import { describe, expect, test } from "vitest";
import type { Props, Resource } from "../../../policy/resource";
import { rules } from "../../../policy/rules";
import { accepted, examples, stacks } from "../../golden/stacks";
import { plain } from "../../golden/whole";

describe.each([...stacks, ...examples])("the stack %s", (stack) => {
  test.each(Object.entries(accepted(stack)))("keeps to every rule: %s", (name, declaration) => {
    const resource: Resource = {
      type: declaration.type,
      name,
      // Examples are of what production stands on.
      stack: examples.includes(stack) ? "prod" : stack,
      props: plain(declaration.inputs) as Props,
      protect: declaration.protect ?? false,
    };
    expect(rules.flatMap(({ violations }) => violations(resource))).toEqual([]);
  });
});
