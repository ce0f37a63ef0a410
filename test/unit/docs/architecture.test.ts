import { expect, test } from "vitest";
import { read, render } from "../../../docs/architecture";

test("docs/architecture.md draws what prod declares; else: npx tsx docs/architecture.ts", () => {
  expect(read()).toBe(render(read()));
});
