import { describe, expect, test } from "vitest";
import { accepted, declare, examples, stacks } from "../golden/stacks";

describe.each([...stacks, ...examples])("the stack %s", (stack) => {
  const declared = declare(stack);

  test("declares what test/golden holds; after a deliberate change: npm run golden", async () => {
    expect(await declared).toEqual(accepted(stack));
  });

  test("names every child after its component", async () => {
    const resources = await declared;
    for (const [name, { parent = "" }] of Object.entries(resources)) {
      if (parent in resources) expect(name).toContain(`${parent}-`);
    }
  });
});
