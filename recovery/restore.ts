import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { UserError } from "../local/errors";
import { parseInfo, readable, startOf, timestamp } from "./archive";
import { main } from "./command";
import { Database } from "./database";

const help = `npm run restore -- --stack STACK --to TIME|latest [--dry-run] [--yes]

Puts the database of STACK back to a moment, such as 2026-11-26T13:59:00Z, or to the end of its
archive. It is restored beside the present one, which stays in the volume; the service waits
meanwhile. --dry-run only shows what would happen. Ctrl-C stops the watching, not the restore: the
same command goes on with it. A volume that is lost is restored by its pod, without this.`;

async function restore(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string" },
      to: { type: "string" },
      "dry-run": { type: "boolean" },
      yes: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(help);
  const { stack, to } = values;
  if (!stack || !to) throw new UserError("a stack and a moment have to be named", help);
  const database = await Database.of(stack);
  const isUnderWay = !(await database.isReady());
  if (!isUnderWay) {
    const moment = to === "latest" ? to : timestamp(await show(database, to));
    if (values["dry-run"]) return console.log("nothing was done: --dry-run");
    if (!values.yes) await confirm(stack);
    await database.request(moment);
    await database.restart();
  }
  console.log("PostgreSQL's pod starts:");
  await database.follow((text) => process.stdout.write(text));
  const files = await database.files();
  if (files.includes("restore-failed")) {
    throw new UserError("not restored; the database is as it was", "see what the pod said, above");
  }
  const before = files.filter((file) => file.startsWith("data-before-"));
  console.log(`restored; kept beside it: ${before.join(", ") || "nothing"} (docs/backups.md)`);
}

/** What is lost and what it takes. @returns the moment */
async function show(database: Database, to: string): Promise<Date> {
  const moment = new Date(to);
  if (!/(Z|[+-]\d\d:?\d\d)$/.test(to) || Number.isNaN(moment.getTime())) {
    throw new UserError(`${to} is no moment with its zone`, "like --to 2026-11-26T13:59:00Z");
  }
  const backups = parseInfo(await database.info());
  const start = startOf(backups, moment);
  // By the clock that commits have their times from.
  const now = new Date(await database.sql("select to_json(now())#>>'{}'"));
  if (!start || moment > now) {
    const oldest = backups[0]?.endedAt.toISOString() ?? "there is none yet";
    const fix = `between the oldest, ${oldest}, and the database's now, ${now.toISOString()}`;
    throw new UserError(`the archive has no ${to}`, fix);
  }
  const room = await database.room();
  if (room < start.size) {
    throw new UserError(
      `the volume has room for ${readable(room)}, and the database takes ${readable(start.size)}`,
      "pulumi config set --path postgres.storage LARGER && pulumi up",
    );
  }
  const later = await database.sql(
    `select count(*) from tasks where created_at > '${timestamp(moment)}'`,
  );
  console.log(`the database goes back to ${timestamp(moment)}
  from base backup ${start.label}, ${readable(start.size)}; free in the volume: ${readable(room)}
  ${later} tasks that came later are unknown then; all others are as they were
  the present database stays in the volume, as data-before-…`);
  return moment;
}

async function confirm(stack: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal
    .question(`type ${stack} to go on: `)
    .finally(() => terminal.close());
  if (answer.trim() !== stack) throw new UserError("nothing was done", `answer ${stack}, or --yes`);
}

main(restore);
