import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { listDumps, parseDumps } from "../../recovery/dumps";
import { archivedDatabase } from "./archivedDatabase";
import type { GoldenPod } from "./pod";

// PostgreSQL's pod as the local stack declares it, with its archive on an S3 server.

/** Files of the archive, with their paths inside of it. */
const archive = (pod: GoldenPod) => join(pod.volume("tmp"), "buckets/aigc-backup/archive");

const made: GoldenPod[] = [];

function database(): GoldenPod {
  const pod = archivedDatabase();
  made.push(pod);
  return pod;
}

afterAll(() => {
  for (const pod of made) pod.close();
});

/** The functions that walks are made of; `sql` waits until PostgreSQL answers. */
const words = `
  serve() {
    "$@" & server=$!
    # Where a walk fails, it would hold what the walk has said.
    trap 'kill -INT $server 2>/dev/null || true' EXIT
    until pg_isready --quiet; do sleep 0.1; done
  }
  sql() { psql --username=aigc --quiet --tuples-only --no-align --command="$1"; }
  leave() { kill -INT $server; wait $server; }
`;

/** Runs lines of bash while PostgreSQL runs as declared. @returns what they said */
async function walk(
  pod: GoldenPod,
  lines: string,
  env: Record<string, string> = {},
): Promise<string> {
  const script = `${words}\nserve "$@"\n${lines}\nleave`;
  const command = ["bash", "--norc", "-euc", script, "bash", ...pod.container.command];
  const { status, output } = await pod.command(command, env);
  expect(status, output).toBe(0);
  return output;
}

/** As a new pod does. */
async function start(pod: GoldenPod): Promise<void> {
  const { status, output } = await pod.start();
  expect(status, output).toBe(0);
}

const insideVolume = (pod: GoldenPod) => readdirSync(pod.volume("data")).sort();
const lose = (pod: GoldenPod) => rmSync(join(pod.volume("data"), "data"), { recursive: true });

test("a lost volume comes back by itself, with every record that was committed", async () => {
  const pod = database();
  await start(pod);
  await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 1000) as id"`,
  );
  lose(pod);
  await start(pod);
  expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^1000$/m);
  expect(insideVolume(pod)).toEqual(["data"]);
});

test("a database goes back to a moment on request, once, and what it was stays beside it", async () => {
  const pod = database();
  await start(pod);
  const said = await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 1000) as id"
    sleep 1.1
    echo "moment: $(date -u '+%Y-%m-%d %H:%M:%S+00')"
    sleep 1.1
    sql "delete from tasks where id > 10"`,
  );
  const moment = /moment: (.*)/.exec(said)?.[1] as string;
  for (const wrong of ["2001-01-01 00:00:00+00", "2999-01-01 00:00:00+00"]) {
    writeFileSync(join(pod.volume("data"), "restore-to"), `${wrong}\n`);
    await start(pod);
    expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^10$/m);
    expect(insideVolume(pod)).toEqual(["data", "restore-failed"]);
  }
  writeFileSync(join(pod.volume("data"), "restore-to"), `${moment}\n`);
  await start(pod);
  expect(
    await walk(pod, 'sql "select count(*) from tasks"; sql "insert into tasks values (0)"'),
  ).toMatch(/^1000$/m);
  expect(insideVolume(pod)).toEqual([
    "data",
    expect.stringMatching(/^data-before-/),
    "restore-failed",
  ]);
  await start(pod);
  expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^1001$/m);
  lose(pod);
  await start(pod);
  expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^1001$/m);
});

test("a moment after the last commit of an idle database is reached, by request", async () => {
  const pod = database();
  await start(pod);
  await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 1000) as id"
    sleep 2.1
    request-restore "$(date -u '+%Y-%m-%d %H:%M:%S+00')"`,
  );
  await start(pod);
  expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^1000$/m);
  expect(insideVolume(pod)).toEqual(["data", expect.stringMatching(/^data-before-/)]);
});

test("the nightly dumps beside the archive are listed by its own program", async () => {
  const pod = database();
  await start(pod);
  const list = async () => {
    const { status, output } = await pod.command(["bash", "--norc", "-euc", listDumps]);
    expect(status, output).toBe(0);
    return parseDumps(output, new Date());
  };
  expect(await list()).toEqual([]);
  const folder = join(archive(pod), "../database");
  const holds = { dump: "2026-11-23T020000Z.dump", size: 3 };
  mkdirSync(folder);
  writeFileSync(join(folder, holds.dump), "PGD");
  writeFileSync(
    join(folder, `${holds.dump}.json`),
    `{"started": "", "ended": "", "holds":\n${JSON.stringify(holds)}\n}\n`,
  );
  expect(await list()).toEqual([
    { name: holds.dump, size: 3, state: "whole", manifest: { started: "", ended: "", holds } },
  ]);
});

test("an archive that can't be read makes no new database", async () => {
  const pod = database();
  await start(pod);
  await walk(pod, "base-backup --first");
  lose(pod);
  const refused = async (env: Record<string, string>) => {
    const { status, output } = await pod.start(200, env);
    expect(status, output).not.toBe(0);
    expect(output).toContain("no database is made");
    expect(insideVolume(pod)).not.toContain("data");
  };
  await refused({ PGBACKREST_REPO1_CIPHER_PASS: "another" });
  await refused({ PGBACKREST_REPO1_S3_KEY_SECRET: "another" });
  await start(pod);
});

test("a volume that fills up, since the bucket takes nothing, loses nothing that was committed", async () => {
  const pod = archivedDatabase(`
    chown 999 /tmp/buckets
    if [ -e /var/lib/postgresql/data ]; then
      mkdir -p /tmp/small
      mount -t tmpfs -o size=200m,uid=999 tmpfs /tmp/small
      cp -a /var/lib/postgresql/data /tmp/small
      mount --bind /tmp/small /var/lib/postgresql
      { until [ -e /tmp/grow ]; do sleep 0.1; done
        mount -o remount,size=1g /tmp/small; } &
    fi`);
  made.push(pod);
  await start(pod);
  const said = await walk(
    pod,
    `base-backup --first
    mv /tmp/buckets/aigc-backup /tmp/buckets/away
    sql "create table tasks (id int, filler text)"
    sql "alter table tasks alter filler set storage external"
    accepted=0
    while sql "insert into tasks select $((accepted + 1)), repeat(md5(n::text), 100)
        from generate_series(1, 1000) n"; do
      accepted=$((accepted + 1))
    done
    echo "accepted: $accepted"
    kill -INT $server || true
    wait $server || true
    mv /tmp/buckets/away /tmp/buckets/aigc-backup
    began=$(date +%s%3N)
    touch /tmp/grow
    sleep 1
    serve "$@"
    echo "room in the volume: back after $(($(date +%s%3N) - began)) ms"
    sql "select 'there: ' || count(distinct id) from tasks where id <= $accepted"
    sql "select pg_switch_wal()" >/dev/null
    until sql "select 'fails no more' from pg_stat_archiver
        where last_archived_time > coalesce(last_failed_time, '-infinity')" | grep .; do
      sleep 0.2
    done`,
  );
  const accepted = /accepted: (\d+)/.exec(said)?.[1];
  expect(Number(accepted), said).toBeGreaterThan(10);
  expect(said).toContain("No space left on device");
  expect(said).toContain(`there: ${accepted}\n`);
  expect(said).toContain("fails no more");
  say(said);
});

/** Says how long some lines of bash took. */
const timed = (what: string, lines: string) => `
  began=$(date +%s%3N)
  ${lines}
  echo "${what} after $(($(date +%s%3N) - began)) ms"`;

/** Waits until all that was written is in the archive. */
const untilArchived = `
  segment=$(sql "select pg_walfile_name(pg_switch_wal())")
  until [ "$(sql "select last_archived_wal >= '$segment' from pg_stat_archiver")" = t ]; do sleep 0.2; done`;

/** Prints what the table in docs/runbook.md says of it. */
const say = (said: string) => console.log(/^.* after \d+ ms$/m.exec(said)?.[0]);

test("a bucket that was lost, and is another, has the archive again once there is a base backup", async () => {
  const pod = archivedDatabase("chown -R 999 /tmp/buckets");
  made.push(pod);
  await start(pod);
  const said = await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 100000) as id"
    mv /tmp/buckets/aigc-backup /tmp/lost
    sql "insert into tasks select generate_series(100001, 100100)"
    sql "select pg_switch_wal()" >/dev/null
    until sql "select 'fails' from pg_stat_archiver where failed_count > 0" | grep .; do sleep 0.2; done
    mkdir /tmp/buckets/aigc-backup
    flock /tmp/pgbackrest/main-archive-1.lock sleep 3 & # as a push of the log has it
    ${timed("a lost bucket: archived again", `base-backup; ${untilArchived}`)}
    sql "insert into tasks values (100101)"`,
  );
  say(said);
  expect(said).toContain("unable to acquire lock");
  lose(pod);
  await start(pod);
  expect(await walk(pod, 'sql "select count(*) from tasks"')).toMatch(/^100101$/m);
});

test("a key of the archive that somebody has is another after docs/runbook.md's steps", async () => {
  const pod = database();
  await start(pod);
  const again = { PGBACKREST_REPO1_CIPHER_PASS: "another" };
  await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 1000) as id"
    pgbackrest --force stop
    until pgbackrest --force stanza-delete; do sleep 1; done
    pgbackrest start`,
  );
  const { status, output } = await pod.start(200, again);
  expect(status, output).toBe(0);
  const said = await walk(pod, timed("the archive's key: another", "base-backup"), again);
  say(said);
  lose(pod);
  expect((await pod.start()).output).toContain("no database is made");
  await pod.start(200, again);
  expect(await walk(pod, 'sql "select count(*) from tasks"', again)).toMatch(/^1000$/m);
});

/** What an archive is made of, and what becomes of a flipped byte; of lists there is a copy. */
const kinds: [string, RegExp, "made good" | "refused"][] = [
  ["the list of segments", /archive\.info$/, "made good"],
  ["the list of backups", /backup\.info$/, "made good"],
  ["a full backup's manifest", /F\/backup\.manifest$/, "made good"],
  ["a changed backup's manifest", /I\/backup\.manifest$/, "made good"],
  ["a full backup's files", /F\/bundle\/1$/, "refused"],
  ["a changed backup's files", /I\/bundle\/1$/, "refused"],
  ["the last segment of WAL", /archive\/main\/18-1\/.*-[0-9a-f]{40}\.zst$/, "refused"],
];

test("a flipped byte in any kind of object never gives another database", async () => {
  const pod = database();
  await start(pod);
  await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 1000) as id"
    pgbackrest --type=incr backup
    sql "insert into tasks values (1001)"`,
  );
  const objects = (readdirSync(archive(pod), { recursive: true }) as string[]).sort();
  const outcomes: [string, string][] = [];
  for (const [kind, pattern] of kinds) {
    const file = join(archive(pod), objects.findLast((each) => pattern.test(each)) as string);
    const whole = readFileSync(file);
    const broken = Buffer.from(whole);
    const middle = Math.floor(whole.length / 2);
    broken[middle] = (broken[middle] as number) ^ 1;
    writeFileSync(file, broken);
    for (const directory of insideVolume(pod)) {
      rmSync(join(pod.volume("data"), directory), { recursive: true });
    }
    const { status, output } = await pod.start();
    if (status === 0) {
      expect(await walk(pod, 'sql "select count(*) from tasks"'), kind).toMatch(/^1001$/m);
    } else {
      expect(insideVolume(pod), output).not.toContain("data");
    }
    outcomes.push([kind, status === 0 ? "made good" : "refused"]);
    writeFileSync(file, whole);
  }
  expect(outcomes).toEqual(kinds.map(([kind, , outcome]) => [kind, outcome]));
});

test("a base backup that is killed at any moment is no backup, and the next one is whole", async () => {
  const pod = database();
  await start(pod);
  const said = await walk(
    pod,
    `base-backup --first
    sql "create table tasks as select generate_series(1, 100000) as id"
    for times in $(seq 20); do
      sql "update tasks set id = id + 1"
      setsid base-backup >/dev/null 2>&1 & backup=$!
      sleep "0.$((RANDOM % 10))"
      kill -KILL -- -$backup || true
    done
    base-backup
    pgbackrest info --output=json | grep -o '"error":[a-z]*'`,
  );
  expect(said).not.toContain('"error":true');
  lose(pod);
  await start(pod);
  expect(await walk(pod, 'sql "select count(*), min(id) from tasks"')).toMatch(/^100000\|21$/m);
});
