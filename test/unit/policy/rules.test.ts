import { describe, expect, test } from "vitest";
import type { Resource } from "../../../policy/resource";
import { rules } from "../../../policy/rules";
import { bad, good } from "./bad";

/** The names of the rules that refuse a resource. */
const refusals = (resource: Resource) =>
  rules.filter(({ violations }) => violations(resource).length > 0).map(({ name }) => name);

test("each rule has something that it refuses", () => {
  expect(Object.keys(bad).sort()).toEqual(rules.map(({ name }) => name).sort());
});

describe.each(Object.entries(bad))("%s refuses", (rule, fixtures) => {
  test.each(Object.entries(fixtures))("%s", (_, fixture) => {
    expect(refusals(fixture)).toContain(rule);
  });
});

test.each(Object.entries(good))("every rule lets %s pass", (_, fixture) => {
  expect(refusals(fixture)).toEqual([]);
});
