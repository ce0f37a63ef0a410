import { afterAll, expect, test } from "vitest";
import { stacks } from "../golden/stacks";
import { GoldenPod } from "./pod";

// The pods that back up and restore, with the settings that rclone reads from their environment.

const made: GoldenPod[] = [];

function pod(...args: ConstructorParameters<typeof GoldenPod>): GoldenPod {
  const golden = new GoldenPod(...args);
  made.push(golden);
  return golden;
}

afterAll(() => {
  for (const golden of made) golden.close();
});

/** As `rclone config providers` lists the options of a kind of remote. */
interface Option {
  Name: string;
  Provider?: string;
  Exclusive?: boolean;
  Examples?: { Value: string; Provider?: string }[] | null;
}

/** Whether an option, or a value of it, is of a provider: "A,B" names some, "!A,B" all others. */
function isOf(provider: string, providers = ""): boolean {
  if (!providers) return true;
  const named = providers.replace(/^!/, "").split(",").includes(provider);
  return named !== providers.startsWith("!");
}

test.each(stacks)("%s: rclone knows each setting of the buckets, and its value", async (stack) => {
  const backup = pod(stack, "backups-backup");
  const { output } = await backup.command([
    ...["bash", "-c", "rclone config providers 2>/dev/null"],
  ]);
  const types = JSON.parse(output) as { Name: string; Options: Option[] }[];
  const settings = Object.entries(backup.environment).flatMap(([name, value]) => {
    const [, remote, setting] = /^RCLONE_CONFIG_([A-Z]+)_(\w+)$/.exec(name) ?? [];
    return remote && setting ? [{ name, remote, setting: setting.toLowerCase(), value }] : [];
  });
  expect(settings).not.toHaveLength(0);
  for (const { name, remote, setting, value } of settings) {
    if (setting === "type") continue;
    const given = (key: string) => backup.environment[`RCLONE_CONFIG_${remote}_${key}`] as string;
    const options = types.find(({ Name }) => Name === given("TYPE"))?.Options;
    const fitting = options?.filter(
      ({ Name, Provider }) => Name === setting && isOf(given("PROVIDER"), Provider),
    );
    expect(fitting, name).not.toHaveLength(0);
    // A region is one of AWS's, and any of another server.
    const closed = fitting?.filter(
      ({ Exclusive }) => Exclusive || (setting === "region" && given("PROVIDER") === "AWS"),
    );
    for (const { Examples } of closed ?? []) {
      const known = Examples?.filter(({ Provider }) => isOf(given("PROVIDER"), Provider));
      expect(
        known?.map(({ Value }) => Value),
        name,
      ).toContain(value);
    }
  }
});

/** The stack's database and object store, and at port 7071 what stands in for S3. */
const servers = `
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
install -d -o postgres /tmp/postgres
as initdb --pgdata=/tmp/postgres --username=aigc --auth=trust >/dev/null
as pg_ctl --pgdata=/tmp/postgres --wait --log=/dev/null --options="-k ''" start >/dev/null
psql --quiet --host=localhost --username=aigc postgres --command="create database aigc"
psql --quiet --host=localhost --username=aigc aigc --command="
  create table tasks (id text, status text, images jsonb, finished_at timestamptz);
  insert into tasks values ('a task');
  create table backups (finished_at timestamptz);
  create table scrubs (finished_at timestamptz);
  create table damaged_pictures (object_key text primary key, task_id text, sha256 text,
    found_at timestamptz)"
serve() {
  mkdir -p "$2"
  ROOT_ACCESS_KEY=$3 ROOT_SECRET_KEY=$4 versitygw --quiet --region "$5" --port "localhost:$1" \\
    posix "/tmp/$1" >/dev/null &
  for _ in $(seq 300); do
    (exec 3<>"/dev/tcp/localhost/$1") 2>/dev/null && return
    sleep 0.1
  done
  return 1
}
`;

/**
 * What walks are made of; `flip` changes a byte of an object where its server keeps it, `whole` reads
 * each dump that has a manifest, and counts them.
 */
const words = `
  sql() { psql --dbname="$DATABASE_URL" --quiet --tuples-only --no-align --command="$1"; }
  flip() {
    until [ -w "/tmp/$1" ]; do sleep 0.1; done
    printf '#' | dd of="/tmp/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
  }
  dumps="backup:$BACKUP_BUCKET/database"
  whole() {
    files=$(rclone lsf --include "*.dump.json" "$dumps")
    for file in $files; do (cd "$(mktemp -d)"; fetch-dump "\${file%.json}" >/dev/null); done
    echo "$files" | grep -c . || true
  }
  # Puts a dump of this machine there under a name, as a run does.
  put() {
    mv "$1" "$2"
    { echo "{"; describe-dump "$2"; echo "}"; } >"$2.json"
    for file in "$2" "$2.json"; do rclone copyto "$file" "$dumps/$file"; done
  }
`;

/**
 * Runs lines of bash in the backup's pod of production. @returns what they said
 * @param more lines that root runs first
 */
async function walk(lines: string, more = ""): Promise<string> {
  // The bucket's server beside it gives no roles.
  const keys = {
    RCLONE_CONFIG_BACKUP_ENV_AUTH: "false",
    RCLONE_CONFIG_BACKUP_ACCESS_KEY_ID: "thekey",
    RCLONE_CONFIG_BACKUP_SECRET_ACCESS_KEY: "thesecret",
  };
  const environment: Record<string, string> = {
    ...pod("prod", "backups-backup").environment,
    ...keys,
  };
  const serve = (port: number, bucket: string, remote: "STORE" | "BACKUP") => {
    const setting = (key: string) => environment[`RCLONE_CONFIG_${remote}_${key}`];
    const user = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION"].map((key) => `"${setting(key)}"`);
    return `serve ${port} "/tmp/${port}/${environment[bucket]}" ${user.join(" ")}\n`;
  };
  const backup = pod("prod", "backups-backup", {
    programs: ["versitygw"],
    env: {
      ...keys,
      RCLONE_CONFIG_BACKUP_ENDPOINT: "http://localhost:7071",
      // For AWS rclone asks for TLS and for a host by bucket.
      RCLONE_CONFIG_BACKUP_PROVIDER: "Other",
      // Servers beside it answer at once, or never will.
      RCLONE_LOW_LEVEL_RETRIES: "1",
      RCLONE_RETRIES: "1",
    },
    beside: `${servers}
      ${serve(7070, "S3_BUCKET", "STORE")}
      ${serve(7071, "BACKUP_BUCKET", "BACKUP")}
      # What the servers keep is for a walk to damage.
      while sleep 0.2; do chmod -R a+rwX /tmp/7070 /tmp/7071; done &
      ${more}`,
  });
  const { status, output } = await backup.command(["bash", "--norc", "-euc", words + lines]);
  expect(status, output).toBe(0);
  return output;
}

test("prod: what a backup copies, a restore puts back, unless it has changed", async () => {
  const output = await walk(`
    picture="store:$S3_BUCKET/outputs/2026/11/26/picture.png"
    echo "a picture" | rclone rcat "$picture"
    backup
    sql "delete from tasks"
    rclone deletefile "$picture"
    restore
    sql "select id from tasks"
    rclone cat "$picture" 2>/dev/null
    sql "insert into tasks values ('a later task')" >/dev/null
    echo "another one" | rclone rcat "$picture" 2>/dev/null
    ONLY=pictures restore 2>/dev/null
    rclone cat "$picture" 2>/dev/null
    sql "select count(*) from tasks"
    dump=$(rclone lsf --include "*.dump" "backup:$BACKUP_BUCKET/database/")
    rclone copy --include "$dump" "backup:$BACKUP_BUCKET/database" /tmp/changed
    cd /tmp/changed
    middle=$(($(stat --format=%s "$dump") / 2))
    byte=$(od --address-radix=n --format=u1 --skip-bytes=$middle --read-bytes=1 "$dump")
    printf "\\x$(printf %x $(((byte + 1) % 256)))" |
      dd of="$dump" bs=1 seek=$middle conv=notrunc status=none
    rclone copyto "$dump" "backup:$BACKUP_BUCKET/database/$dump"
    restore 2>&1 || echo "refused"
    sql "select count(*) from tasks"`);
  expect(output).toMatch(/restored \S+\.dump\na task\na picture\na picture\n2$/m);
  expect(output, "a dump with another byte").toMatch(/refused\n2$/m);
});

test("a backup that is killed at any moment leaves no dump half-made, and the next one is whole", async () => {
  const output = await walk(`
    sql "insert into tasks select 'task ' || n from generate_series(2, 100000) n"
    for times in $(seq 20); do
      setsid backup >/dev/null 2>&1 & backup=$!
      sleep "$((RANDOM % 3)).$((RANDOM % 10))"
      kill -KILL -- -$backup 2>/dev/null || true
      wait $backup 2>/dev/null || true
    done
    backup
    echo "whole: $(whole)"
    sql "delete from tasks"
    restore
    sql "select count(*) from tasks"
    manifest=$(rclone lsf --include "*.json" "$dumps" | sort | tail -n 1)
    flip "7071/$BACKUP_BUCKET/database/$manifest" 150
    sql "delete from tasks"
    restore 2>&1 || echo "refused"
    sql "select count(*) from tasks"`);
  expect(output).toMatch(/^whole: [1-9]/m);
  expect(output).toMatch(/^100000$/m);
  expect(output, "a manifest with another byte").toMatch(/refused\n0$/m);
});

test("a dump without its manifest is none, and one of an older release has a checksum alone", async () => {
  const output = await walk(`
    backup
    dump=$(rclone lsf --include "*.dump" "$dumps")
    rclone moveto "$dumps/$dump.json" "$dumps/away/$dump.json"
    sql "delete from tasks"
    restore 2>&1 || echo "refused"
    cd "$(mktemp -d)"
    rclone copyto "$dumps/$dump" "$dump"
    sha256sum "$dump" | rclone rcat "$dumps/$dump.sha256"
    restore
    sql "select 'restored: ' || count(*) from tasks"`);
  expect(output).toMatch(/^no whole backup .*\nrefused$/m);
  expect(output).toMatch(/^restored: 1$/m);
});

test("two backups at the same time are both whole", async () => {
  const output = await walk(`
    sql "insert into tasks select 'task ' || n from generate_series(2, 100000) n"
    backup & one=$!
    backup & another=$!
    wait $one
    wait $another
    echo "whole: $(whole)"
    sql "delete from tasks"
    restore
    sql "select 'restored: ' || count(*) from tasks"`);
  expect(output).toMatch(/^whole: 2$/m);
  expect(output).toMatch(/^restored: 100000$/m);
});

test("a clock that is a day off makes no backup, and one of the future is not the newest", async () => {
  const output = await walk(`
    backup
    mkdir /tmp/clock
    echo 'exec /usr/bin/date --date="$CLOCK" "$@"' >/tmp/clock/date
    chmod +x /tmp/clock/date
    for clock in "1 day ago" "1 day"; do
      CLOCK=$clock PATH=/tmp/clock:$PATH backup 2>&1 || echo "$clock: refused"
    done
    echo "whole: $(whole)"
    cd "$(mktemp -d)"
    sql "insert into tasks values ('of a wrong clock')"
    pg_dump --dbname="$DATABASE_URL" --format=custom --file=dump
    future=$(date -u --date="1 day" +%Y-%m-%dT%H%M%SZ).dump
    put dump "$future"
    restore 2>&1
    sql "select 'the newest: ' || count(*) from tasks"
    BACKUP=$future restore 2>&1
    sql "select 'by name: ' || count(*) from tasks"`);
  expect(output).toMatch(/^no backup: the clocks .* \d+ s apart\n1 day ago: refused$/m);
  expect(output).toMatch(/^no backup: the clocks .* \d+ s apart\n1 day: refused$/m);
  expect(output).toMatch(/^whole: 1$/m);
  expect(output).toMatch(/^passed over, .*: \S+\.dump$/m);
  expect(output).toMatch(/^the newest: 1$/m);
  expect(output).toMatch(/^by name: 2$/m);
});

test("where the scratch is full no backup is listed, and no restore touches the database", async () => {
  const output = await walk(
    `
    sql "insert into tasks select md5(random()::text) from generate_series(2, 100000)"
    TMPDIR=/tmp/small backup 2>&1 || echo "no backup"
    rm -r /tmp/small/*
    echo "files: $(rclone lsf "backup:$BACKUP_BUCKET" 2>/dev/null | grep -c database || true)"
    backup
    sql "delete from tasks where id <> 'a task'"
    TMPDIR=/tmp/small restore 2>&1 || echo "no restore"
    sql "select 'kept: ' || count(*) from tasks"
    echo "whole: $(whole)"`,
    `mkdir /tmp/small
    mount -t tmpfs -o size=1m,mode=777 tmpfs /tmp/small`,
  );
  expect(output).toMatch(/No space left on device\nno backup\nfiles: 0$/m);
  expect(output).toContain("remaining disk space");
  expect(output).toMatch(/^no restore\nkept: 1$/m);
  expect(output).toMatch(/^whole: 1$/m);
});

test("a dump of a newer PostgreSQL is refused by an older one, in words", async () => {
  const output = await walk(`
    cd "$(mktemp -d)"
    major=$(($(sql "show server_version_num") / 10000))
    pg_dump --dbname="$DATABASE_URL" --format=custom --file=dump
    at=$(grep --only-matching --byte-offset --text --max-count=1 "$major\\.[0-9]" dump | head -n 1)
    printf "$((major + 1))" | dd of=dump bs=1 seek="\${at%%:*}" conv=notrunc status=none
    put dump 2026-11-23T020000Z.dump
    sql "delete from tasks"
    restore 2>&1 || echo "refused"
    sql "select 'left alone: ' || count(*) from tasks"`);
  expect(output).toMatch(
    /^2026-11-23T020000Z.dump is of PostgreSQL \d+, and the server of \d+: upgrade it first\nrefused$/m,
  );
  expect(output).toMatch(/^left alone: 0$/m);
});

test("a scrub finds pictures that are gone or another, within four weeks, and one command puts them back", async () => {
  const output = await walk(`
    for n in $(seq 8); do
      key="outputs/task $n/1/0.png"
      printf "picture $n" | rclone rcat "store:$S3_BUCKET/$key" 2>/dev/null
      sql "insert into tasks values ('task $n', 'succeeded', jsonb_build_array(jsonb_build_object(
        'object_key', '$key', 'sha256', encode(sha256('picture $n'), 'hex'))), now())"
    done
    backup >/dev/null 2>&1
    days= read=0
    for day in $(seq 20000 20027); do
      pictures=$(DAY=$day scrub | sed -n 's/ pictures read.*//p')
      [ "$pictures" = 0 ] || days="$days $day" read=$((read + pictures))
    done
    echo "read: $read"
    sql "select 'damaged: ' || count(*) from damaged_pictures"

    for day in $days; do
      DAY=$day RCLONE_CONFIG_STORE_ENDPOINT=http://localhost:1 scrub >/dev/null 2>&1 ||
        echo "a fault, told"
    done
    sql "select 'damaged while the store is away: ' || count(*) from damaged_pictures"

    rclone deletefile "store:$S3_BUCKET/outputs/task 1/1/0.png"
    printf "another one" | rclone rcat "store:$S3_BUCKET/outputs/task 2/1/0.png" 2>/dev/null
    flip "7070/$S3_BUCKET/outputs/task 3/1/0.png" 3
    rclone deletefile "store:$S3_BUCKET/outputs/task 4/1/0.png"
    flip "7071/$BACKUP_BUCKET/outputs/task 4/1/0.png" 3
    rclone deletefile "store:$S3_BUCKET/outputs/task 5/1/0.png"
    flip "7071/$BACKUP_BUCKET/outputs/task 6/1/0.png" 3
    for day in $days; do DAY=$day scrub | grep "copied anew" || true; done
    backup >/dev/null 2>&1
    scrub
    echo "the copy: $(rclone cat "backup:$BACKUP_BUCKET/outputs/task 6/1/0.png" 2>/dev/null)"
    sql "update tasks set images = null where id = 'task 5'"
    began=$(date +%s%3N)
    ! ONLY=damaged restore 2>&1 || echo "no fault told"
    echo "damaged pictures: put back after $(($(date +%s%3N) - began)) ms"
    for n in 1 2 3; do rclone cat "store:$S3_BUCKET/outputs/task $n/1/0.png" 2>/dev/null; echo; done
    echo "of a forgotten task: $(rclone lsf "store:$S3_BUCKET/outputs/task 5" 2>/dev/null)"
    sql "update tasks set images = null where id = 'task 4'"
    scrub
    sql "select 'left at last: ' || count(*) from damaged_pictures"`);
  console.log(/^damaged pictures: .*/m.exec(output)?.[0]);
  expect(output).toContain("read: 8\ndamaged: 0\n");
  expect(output).toMatch(/a fault, told\ndamaged while the store is away: 0$/m);
  for (const n of [1, 2, 3, 4, 5]) {
    expect(output).toContain(`deleted or damaged: outputs/task ${n}/1/0.png`);
  }
  expect(output).toContain("copied anew: outputs/task 6/1/0.png");
  expect(output).toContain("the copy: picture 6");
  expect(output).toContain("no right copy; delete its task: outputs/task 4/1/0.png");
  expect(output).toContain("picture 1\npicture 2\npicture 3\nof a forgotten task: \n");
  expect(output).toContain("left at last: 0");
  expect(output).not.toContain("no fault told");
});
