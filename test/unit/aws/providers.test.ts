import { expect, test } from "vitest";
import { accepted } from "../../golden/stacks";

const stack = accepted("alternatives");

test("what is made in AWS bears the stack's tags", () => {
  // The engine hands providers nested values as JSON.
  const { defaultTags } = (stack.aws as { inputs: unknown }).inputs as { defaultTags: string };
  expect(JSON.parse(defaultTags)).toEqual({ tags: { team: "pictures" } });
});

test("the namespace, with which all volumes would go, is protected as they are", () => {
  expect(stack.namespace?.protect).toBe(true);
});
