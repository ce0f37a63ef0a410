import { setTimeout as pause } from "node:timers/promises";
import { rounded } from "../figures";
import { OperatedDatabase } from "./failover/operated";
import type { Figure } from "./main";
import { isAccepted, load, tasksCome } from "./restore/load";

export const description =
  "PostgreSQL's primary lost under load, and a standby in its place; on the local cluster; arguments: REPLICAS…";

/** Tasks a second, and for how many seconds before a fault. */
const [rate, before] = [20, 10];
/** Seconds that tasks come after a fault; they come on until one is accepted. */
const after = 30;

/** How a primary is lost. @returns what ends the fault, where it doesn't end by itself */
type Loss = (database: OperatedDatabase) => Promise<void | (() => Promise<void>)>;

export const losses = {
  "pod deleted by force": (database) => database.deletePrimary("--grace-period=0", "--force"),
  "server killed": (database) => database.killServer(),
  "pod ended as a drain does": (database) => database.deletePrimary(),
  "cut off and frozen": (database) => database.cutOffPrimary(),
} satisfies Record<string, Loss>;

export async function run(sizes: string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const replicas of sizes.length > 0 ? sizes.map(Number) : [2, 3]) {
    const database = await OperatedDatabase.start(replicas);
    try {
      for (const [name, loss] of Object.entries(losses)) {
        const { accepted, missing, away } = await lost(database, loss);
        const figure = `${replicas} pods, ${name}`;
        console.error(
          `${figure}: lost ${missing} of ${accepted}, none accepted for ${rounded(away)} s`,
        );
        figures.push(
          { figure: `${figure}: accepted`, value: accepted, unit: "" },
          {
            figure: `${figure}: of those lost`,
            value: missing,
            unit: "",
            target: "0",
            missed: missing > 0,
          },
          {
            figure: `${figure}: none accepted for`,
            value: rounded(away),
            unit: "s",
            target: "<= 30",
            missed: away > 30,
          },
        );
      }
    } finally {
      await database.close();
    }
  }
  return figures;
}

/** What came of a primary's loss: tasks accepted, those of them that nobody knows, seconds without any. */
export async function lost(database: OperatedDatabase, loss: Loss) {
  const loading = load(database.url, before + after, rate);
  const count = () => database.sql("select count(*) from tasks").catch(() => "0");
  // The first one makes the table.
  await Promise.race([loading, tasksCome(count)]);
  // It is waited for below.
  loading.catch(() => {});
  await pause(1_000 * before);
  const [old, fault] = [await database.primary(), Date.now() / 1_000];
  const end = await loss(database);
  const answers = await loading;
  await end?.();
  await database.whole();
  const accepted = answers.filter(isAccepted);
  const known = new Set((await database.sql("select id from tasks")).split("\n"));
  const missing = accepted.filter(([, , task]) => !known.has(task));
  if (!accepted.some(([, at]) => at > fault)) throw new Error("no task came after the fault");
  const moments = [fault, ...accepted.map(([, at]) => at).filter((at) => at > fault)].sort(
    (a, b) => a - b,
  );
  const away = Math.max(...moments.slice(1).map((at, index) => at - (moments[index] as number)));
  return {
    accepted: accepted.length,
    missing: missing.length,
    away,
    changed: old !== (await database.primary()),
  };
}
