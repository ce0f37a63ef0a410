import { expect, test } from "vitest";
import { changes, parsePath, pathText } from "../../../local/kubernetes-plugin/diff";

const found = (before: unknown, after: unknown) =>
  changes(before, after).map(({ path, kind }) => `${kind} ${pathText(path)}`);

test("equal values have no changes", () => {
  expect(found({ a: [1, { b: "c" }] }, { a: [1, { b: "c" }] })).toEqual([]);
});

test("changes are found at the leaves, additions and deletions at their top", () => {
  const before = { spec: { replicas: 1, template: { labels: { a: "b" } } } };
  const after = { spec: { replicas: 2, selector: { matchLabels: { a: "b" } } } };
  expect(found(before, after)).toEqual([
    "update spec.replicas",
    "delete spec.template",
    "add spec.selector",
  ]);
});

test("arrays are compared by position", () => {
  const before = { args: ["a", "b", "c"], ports: [{ port: 80 }] };
  const after = { args: ["a", "x"], ports: [{ port: 80, name: "http" }, { port: 81 }] };
  expect(found(before, after)).toEqual([
    "update args[1]",
    "delete args[2]",
    "add ports[0].name",
    "add ports[1]",
  ]);
});

test("a value of another type is an update", () => {
  expect(found({ a: { b: 1 } }, { a: [1] })).toEqual(["update a"]);
});

test("paths are written as the engine writes them, and read back", () => {
  const path = ["metadata", "annotations", 'example.com/a"b', 0, "name"];
  const text = 'metadata.annotations["example.com/a\\"b"][0].name';
  expect(pathText(path)).toBe(text);
  expect(parsePath(text)).toEqual(path);
});
