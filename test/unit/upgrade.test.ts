import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { accepted, stacks } from "../golden/stacks";
import type { Stack } from "../upgrade/replacement";
import { losses, replacedStatefulSets } from "../upgrade/stateful";

const fileOf = (stack: string) => join(__dirname, `../upgrade/released/${stack}.json`);
const released = (stack: string): Stack => JSON.parse(readFileSync(fileOf(stack), "utf8"));

// A stack that is new here has no release yet.
test.each(stacks.filter((stack) => existsSync(fileOf(stack))))(
  "an upgrade of %s from the last release replaces nothing with data",
  (stack) => {
    expect(losses(released(stack), accepted(stack))).toEqual([]);
  },
);

test.each([
  ["local", ["monitoring-server", "object-store-server", "postgres-server", "redis-server"]],
  [
    "prod",
    [
      "monitoring-alertmanager-server",
      "monitoring-server",
      "object-store-server",
      "postgres-server",
      "redis-server",
    ],
  ],
  ["alternatives", ["monitoring-alertmanager-server", "monitoring-server"]],
])(
  "an upgrade of %s replaces StatefulSets whose claims become resources of their own",
  (stack, names) => {
    const replaced = replacedStatefulSets(released(stack), accepted(stack));
    expect(replaced.sort()).toEqual(names);
  },
);

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

  /** The present stack, in which the database's claim is another. */
  function withClaim(change: (claim: Stack[string]) => void): Stack {
    const next = structuredClone(accepted("prod")) as Stack;
    change(next["postgres-volume"] as Stack[string]);
    return next;
  }

  test("leaves a volume behind", () => {
    const next = withClaim(({ inputs }) => {
      (inputs as { metadata: { name: string } }).metadata.name = "database";
    });
    expect(losses(previous, next)).toEqual([
      "the data of data-postgres-0 would be left behind, since no resource is it",
    ]);
  });

  test("makes a volume that is there", () => {
    const next = withClaim((claim) => {
      claim.provider = "cluster";
    });
    expect(losses(previous, next)).toEqual([
      "data-postgres-0 is there already, and its provider takes over nothing",
    ]);
  });

  test("waits for a volume that is there", () => {
    const next = withClaim(({ inputs }) => {
      (inputs as { metadata: Record<string, unknown> }).metadata.annotations = {};
    });
    expect(losses(previous, next)).toEqual([
      "data-postgres-0 is Bound already, and the official plugin would wait until it is Pending",
    ]);
  });

  test("gives a volume that is there another class", () => {
    const next = withClaim(({ inputs }) => {
      (inputs as { spec: Record<string, unknown> }).spec.storageClassName = "fast";
    });
    expect(losses(previous, next)).toEqual([
      "data-postgres-0 is there already, with another class or access mode",
    ]);
  });

  test("goes on protecting a StatefulSet whose templates change", () => {
    const next = structuredClone(accepted("prod")) as Stack;
    (next[server] as Stack[string]).protect = true;
    expect(losses(previous, next)).toEqual(["postgres-server is to be replaced, but protected"]);
  });
});

test("an alias to the old name keeps a resource through a renaming", () => {
  const previous = released("prod");
  const { "postgres-server": server, ...rest } = previous;
  const next = { ...rest, "database-server": { ...server, aliases: ["postgres-server"] } } as Stack;
  expect(losses(previous, next)).toEqual([]);
});
