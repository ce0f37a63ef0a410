import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { accepted, stacks } from "../golden/stacks";
import { losses, type Stack } from "../upgrade/stateful";

const released = (stack: string): Stack =>
  JSON.parse(readFileSync(join(__dirname, `../upgrade/released/${stack}.json`), "utf8"));

test.each(stacks)("an upgrade of %s from the last release replaces nothing with data", (stack) => {
  expect(losses(released(stack), accepted(stack))).toEqual([]);
});

describe("an upgrade is refused that", () => {
  const previous = released("prod");
  const server = "postgres-server";

  function changed(change: (declaration: Stack[string]) => void, name = server): Stack {
    const next = structuredClone(previous);
    change(next[server] as Stack[string]);
    return name === server ? next : rename(next, name);
  }

  function rename({ [server]: declaration, ...rest }: Stack, name: string): Stack {
    return { ...rest, [name]: declaration as Stack[string] };
  }

  test("gives a database another name", () => {
    expect(
      losses(
        previous,
        changed(() => {}, "database-server"),
      ),
    ).toEqual(["postgres-server is gone; a new name needs an alias to postgres-server"]);
  });

  test("moves a database to another component", () => {
    const next = changed((declaration) => {
      declaration.parent = "redis";
    });
    expect(losses(previous, next)).toEqual([
      expect.stringMatching(/^postgres-server has another type or parent/),
    ]);
  });

  test("changes a volume", () => {
    const next = changed((declaration) => {
      const { spec } = declaration.inputs as { spec: Record<string, unknown> };
      spec.volumeClaimTemplates = [];
    });
    expect(losses(previous, next)).toEqual([
      "postgres-server would be replaced, since spec.volumeClaimTemplates has changed",
    ]);
  });
});

test("an alias to the old name keeps a resource through a renaming", () => {
  const previous = released("prod");
  const { "postgres-server": server, ...rest } = previous;
  const next = { ...rest, "database-server": { ...server, aliases: ["postgres-server"] } } as Stack;
  expect(losses(previous, next)).toEqual([]);
});
