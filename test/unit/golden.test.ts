import { describe, expect, test } from "vitest";
import { accepted, declare, stacks } from "../golden/stacks";

describe.each(stacks)("the stack %s", (stack) => {
  const declared = declare(stack);

  test("declares what test/golden holds; after a deliberate change: npm run golden", async () => {
    expect(await declared).toEqual(accepted(stack));
  });

  test("names every child after its component", async () => {
    for (const [name, { parent }] of Object.entries(await declared)) {
      if (parent !== `image-service-${stack}`) expect(name).toContain(`${parent}-`);
    }
  });
});
