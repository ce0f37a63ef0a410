import { setTimeout as pause } from "node:timers/promises";
import { run as runCommand } from "../../local/run";
import { median, rounded } from "../figures";
import { drilledDatabase } from "../vendors/drilledDatabase";
import type { Figure } from "./main";
import { Database } from "./restore/database";
import { isAccepted, load, tasksCome } from "./restore/load";

export const description =
  "the database lost, and put back to a moment, under load; what archiving costs; arguments: TASKS SECONDS ROUNDS";

/** Tasks a second while the database is lost, and while what a submit takes is measured. */
const [writing, submitting] = [20, 50];

/** Seconds that tasks come longer than a fault waits. */
const margin = 20;

/** Of a task that succeeded; a row and its entries in indexes take a kilobyte. */
const fill = (tasks: number) => `
  insert into tasks (id, key_id, request_id, parameters, status, priority, rank, attempt,
    attempts_left, step, images, created_at, started_at, finished_at, deadline_at, model, work)
  select id, 1, left(id::text, 16), jsonb_build_object('prompt', prompt, 'width', 1024,
      'height', 1024, 'steps', 30, 'seed', n, 'format', 'png'),
    'succeeded', 0, n, 1, 2, 30, jsonb_build_array(jsonb_build_object('object_key',
      'outputs/' || id || '/1/0.png', 'seed', n, 'format', 'png', 'sha256', encode(sha256(prompt::bytea), 'hex'))),
    moment, moment, moment, moment, 'sdxl', 1
  from (select n, gen_random_uuid() id, now() - interval '1 day' - n * interval '1 second' moment,
      repeat(md5(n::text) || ' ', 8) prompt from generate_series(1, ${tasks}) n) all_of_them`;

export async function run([tasks = "1000000", seconds = "45", rounds = "3"]: string[]) {
  const database = new Database();
  try {
    await database.start();
    await load(database.url, 1, writing); // makes the tables
    await database.sql(fill(Number(tasks)));
    await database.sql("vacuum analyze tasks");
    const began = now();
    await database.order("base-backup --first");
    const size = Number(await database.sql("select pg_database_size('aigc')"));
    return [
      { figure: "database", value: rounded(size / 1e9), unit: "GB" },
      { figure: "base backup", value: rounded(now() - began), unit: "s" },
      ...(await lost(database, Number(seconds), size)),
      ...(await deleted(database, Number(tasks))),
      ...(await drilled(Number(tasks))),
      ...(await archiving(database, Number(seconds), Number(rounds))),
    ];
  } finally {
    await database.close();
  }
}

/** The node vanishes with the volume, and the pod of another restores the archive's end. */
async function lost(database: Database, seconds: number, size: number): Promise<Figure[]> {
  const loading = load(database.url, seconds + margin, writing);
  const archived = await archivedUntil(database, seconds);
  await database.end("KILL");
  const disaster = now();
  database.loseVolume();
  await database.start();
  const scratch = await database.used();
  const accepted = (await loading).filter(isAccepted);
  const before = accepted.filter(([, at]) => at < disaster);
  const known = new Set(
    (await database.sql("select id from tasks where status = 'queued'")).split("\n"),
  );
  const missing = before.filter(([, , task]) => !known.has(task));
  const oldest = Math.min(disaster, ...missing.map(([, at]) => at));
  const back = Math.min(...accepted.map(([, at]) => at).filter((at) => at > disaster));
  return [
    { figure: "volume lost: accepted before", value: before.length, unit: "" },
    { figure: "volume lost: of those lost", value: missing.length, unit: "" },
    atMost("volume lost: the last of them", disaster - oldest, "s", 60),
    atMost(
      "volume lost: archived and lost",
      missing.filter(([, at]) => at < archived).length,
      "",
      0,
    ),
    atMost("volume lost: accepting again within", back - disaster, "s", 300),
    { figure: "volume lost: written for a GB", value: rounded(scratch / size), unit: "GB" },
  ];
}

/** All old tasks are deleted by mistake, and the database goes back to the moment before. */
async function deleted(database: Database, tasks: number): Promise<Figure[]> {
  const loading = load(database.url, 10 + margin, writing);
  await archivedUntil(database, 10);
  const moment = await database.sql("select to_char(now(), 'YYYY-MM-DD HH24:MI:SSOF')");
  await pause(2_000);
  await database.sql("set statement_timeout = 0; delete from tasks where status = 'succeeded'");
  await database.order(`request-restore "${moment}"`);
  const asked = now();
  await database.end("INT");
  const ended = now();
  await database.start();
  const back = Math.min(
    ...(await loading)
      .filter(isAccepted)
      .map(([, at]) => at)
      .filter((at) => at > ended),
  );
  const there = Number(await database.sql("select count(*) from tasks where status = 'succeeded'"));
  return [
    atMost("bad delete: not put back", tasks - there, "", 0),
    atMost("bad delete: accepting again within", back - asked, "s", 300),
  ];
}

/** What a drill's own volume holds at most, by the program of its CronJob. */
async function drilled(tasks: number): Promise<Figure[]> {
  const pod = drilledDatabase({ tasks, marks: 20 });
  try {
    let [most, ended] = [0, false];
    const size = `psql --dbname="$DATABASE_URL" --tuples-only --no-align \\
      --command="select 'size: ' || pg_database_size('aigc')"`;
    const drill = pod.command(["bash", "--norc", "-euc", `${size}; restore-drill`]).finally(() => {
      ended = true;
    });
    const used = ["--summarize", "--bytes", pod.volume("scratch")];
    // A file may go while it looks.
    for (; !ended; await pause(200)) {
      most = Math.max(most, Number.parseInt(await runCommand("du", used).catch(() => "0"), 10));
    }
    const { status, output } = await drill;
    if (status !== 0) throw new Error(output);
    const bytes = Number(/^size: (\d+)$/m.exec(output)?.[1]);
    return [
      { figure: "drill: its volume holds at most", value: rounded(most / 1e9), unit: "GB" },
      { figure: "drill: for each GB of database", value: rounded(most / bytes), unit: "GB" },
    ];
  } finally {
    pod.close();
  }
}

/** The same load with the archive and without, in turns. */
async function archiving(database: Database, seconds: number, rounds: number): Promise<Figure[]> {
  await database.end("INT");
  const times: Record<"on" | "off", number[]> = { on: [], off: [] };
  for (let round = 0; round < rounds; round++) {
    const modes = ["on", "off"] as const;
    for (const mode of round % 2 === 0 ? modes : modes.toReversed()) {
      await database.start("-c", `archive_mode=${mode}`);
      await database.sql("checkpoint");
      const answers = await load(database.url, seconds, submitting);
      await database.end("INT");
      const taken = answers.map(([due, at]) => 1_000 * (at - due)).sort((a, b) => a - b);
      times[mode].push(taken[Math.floor(0.95 * taken.length)] as number);
    }
  }
  const slower = times.on.map((on, round) => 100 * (on / (times.off[round] as number) - 1));
  return [
    { figure: "submit p95 without the archive", value: rounded(median(times.off)), unit: "ms" },
    { figure: "submit p95 with the archive", value: rounded(median(times.on)), unit: "ms" },
    atMost("the archive makes it slower by", median(slower), "%", 10),
  ];
}

const now = () => Date.now() / 1_000;

/** Waits until tasks come in, and from then on for so many seconds. @returns until when all of its log is archived */
async function archivedUntil(database: Database, seconds: number): Promise<number> {
  const count = () => database.sql("select count(*) from tasks where status = 'queued'");
  await tasksCome(count);
  const samples: [moment: number, segment: string][] = [];
  let newest = "";
  for (const end = now() + seconds; now() < end; await pause(500)) {
    const at = now();
    const [segment, archived] = (
      await database.sql(
        "select pg_walfile_name(pg_current_wal_insert_lsn()), last_archived_wal from pg_stat_archiver",
      )
    ).split("|") as [string, string];
    samples.push([at, segment]);
    newest = archived;
  }
  return Math.max(0, ...samples.filter(([, segment]) => segment <= newest).map(([at]) => at));
}

const atMost = (figure: string, value: number, unit: string, most: number): Figure => ({
  figure,
  value: rounded(value),
  unit,
  target: `<= ${most}`,
  missed: value > most,
});
