import { afterAll, beforeAll, expect, test } from "vitest";
import { losses, lost } from "../bench/failover";
import { OperatedDatabase } from "../bench/failover/operated";

// What is declared with `postgres.operator: cnpg`, kept by the real operator on the local cluster. Not
// in `npm test`: it takes two minutes of a processor to build.

let database: OperatedDatabase;

beforeAll(async () => {
  database = await OperatedDatabase.start(2);
});
afterAll(() => database?.close());

test.each(["pod deleted by force", "server killed"] as const)(
  "%s: a standby takes its place, and no accepted task is lost",
  async (name) => {
    const { accepted, missing, away, changed } = await lost(database, losses[name]);
    console.log(
      `${name}: no task accepted for ${away.toFixed(1)} s, lost ${missing} of ${accepted}`,
    );
    expect(missing).toBe(0);
    expect(accepted).toBeGreaterThan(0);
    if (name === "pod deleted by force") expect(changed).toBe(true);
  },
);
