import { parseArgs } from "node:util";
import { UserError } from "../local/errors";
import { parseInfo, readable } from "./archive";
import { main } from "./command";
import { Database } from "./database";
import { listDumps, parseDumps } from "./dumps";

const help = `npm run backups -- --stack STACK      lists what the database of STACK can be restored from`;

async function list(): Promise<void> {
  const { values } = parseArgs({
    options: { stack: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(help);
  if (!values.stack) throw new UserError("a stack has to be named", help);
  const database = await Database.of(values.stack);
  const backups = parseInfo(await database.info());
  console.log(
    "base backup                        type  ended                     database    stored",
  );
  for (const { label, type, endedAt, size, stored } of backups) {
    const columns = [label.padEnd(34), type.padEnd(5), endedAt.toISOString().padEnd(25)];
    console.log(...columns, readable(size).padStart(8), readable(stored).padStart(9));
  }
  const [oldest] = backups;
  console.log(
    oldest
      ? `any moment from ${oldest.endedAt.toISOString()} on, with npm run restore`
      : "there is none yet: kubectl create job --from=cronjob/base-backup base-backup-now",
  );
  const dumps = parseDumps(await database.exec("bash", "-euc", listDumps), new Date());
  console.log(
    `\n${"nightly dump".padEnd(32)}   size      tasks      PostgreSQL  schema          state`,
  );
  for (const { name, size, manifest, state } of dumps) {
    const { rows, postgres = "", schema = "" } = manifest?.holds ?? {};
    const columns = [
      name.padEnd(32),
      readable(size).padStart(8),
      `${rows?.tasks ?? ""}`.padEnd(10),
    ];
    console.log(...columns, `${postgres}`.padEnd(11), schema.padEnd(15), state);
  }
  console.log(dumps.length > 0 ? "one of them, with Job restore" : "there is none yet");
  for (const [what, query] of Object.entries(lasts)) {
    console.log(`${what}: ${(await database.sql(query)) || "never"}`);
  }
}

/** What has been done last, and when. */
const lasts = {
  "archived last": "select last_archived_time from pg_stat_archiver",
  "restored for practice last": `
    select finished_at || ', within ' || restore_seconds || ' s, without the last ' || lost_seconds || ' s'
    from restore_drills where succeeded order by finished_at desc limit 1`,
  "dumped last": "select max(finished_at) from backups",
};

main(list);
