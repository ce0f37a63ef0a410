import { describe, expect, test } from "vitest";
import { rules } from "../../../policy/rules";
import { resourcesOf } from "../../golden/resources";
import { examples, stacks } from "../../golden/stacks";

describe.each([...stacks, ...examples])("the stack %s", (stack) => {
  test.each(resourcesOf(stack))("keeps to every rule: $name", (declared) => {
    // Examples are of what production stands on.
    const resource = { ...declared, stack: examples.includes(stack) ? "prod" : stack };
    expect(rules.flatMap(({ violations }) => violations(resource))).toEqual([]);
  });
});
