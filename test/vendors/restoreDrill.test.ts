import { expect, test } from "vitest";
import { GoldenPod } from "./pod";

// The drill's pod as the local stack declares it, beside a database with an archive.

const picture = "a picture";
const key = "outputs/a-task/1/0.png";

/**
 * @param copy of the picture in the backup bucket
 * @param beside lines of bash that root runs once there is a backup
 */
function drill(copy: string, beside = ""): GoldenPod {
  const bare = new GoldenPod("local", "restore-drill-weekly");
  const { environment } = bare;
  bare.close();
  const option = (name: string) => environment[`PGBACKREST_REPO1_${name}`];
  const exported = Object.entries(environment).map(
    ([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`,
  );
  return new GoldenPod("local", "restore-drill-weekly", {
    programs: ["versitygw"],
    // Fewer marks than in production, and an archive that is as much quicker.
    env: { MARKS: "12" },
    beside: `
      export ${exported.join(" ")} PGBACKREST_PG1_PATH=/tmp/live PGBACKREST_SPOOL_PATH=/tmp/spool
      as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
      bucket="/tmp/buckets/${option("S3_BUCKET")}"
      mkdir -p "$bucket/${key.replace(/\/[^/]*$/, "")}"
      printf '${copy}' >"$bucket/${key}"
      ROOT_ACCESS_KEY="${option("S3_KEY")}" ROOT_SECRET_KEY="${option("S3_KEY_SECRET")}" \\
        versitygw --quiet --region "${option("S3_REGION")}" --port localhost:7070 \\
        posix /tmp/buckets >/dev/null &
      until (exec 3<>/dev/tcp/localhost/7070) 2>/dev/null; do sleep 0.1; done
      as initdb --pgdata=/tmp/live --username=aigc --auth=trust --data-checksums >/dev/null
      export PGBACKREST_PG1_SOCKET_PATH=/tmp PGBACKREST_PG1_USER=aigc
      as postgres -D /tmp/live -c unix_socket_directories=/tmp -c archive_mode=on \\
        -c archive_command='pgbackrest archive-push %p' -c archive_timeout=3s 2>/dev/null >&2 &
      until pg_isready --quiet --host=localhost; do sleep 0.1; done
      psql --quiet --host=localhost --username=aigc postgres --command="create database aigc"
      psql --quiet --host=localhost --username=aigc aigc --command="
        create table tasks (id text, status text, images jsonb, created_at timestamptz,
          finished_at timestamptz);
        insert into tasks select 'task ' || n, case n when 1 then 'succeeded' else 'failed' end, case n when 1 then jsonb_build_array(
          jsonb_build_object('object_key', '${key}', 'sha256', encode(sha256('${picture}'), 'hex')))
          else '[]' end, now(), now() - interval '1 day' from generate_series(1, 1000) n;
        create table backups (finished_at timestamptz);
        create table restore_drills (finished_at timestamptz, succeeded boolean,
          lost_seconds float, restore_seconds float)"
      as pgbackrest stanza-create
      as pgbackrest backup
      mkdir /tmp/pictures
      RCLONE_CONFIG_STORE_TYPE=local S3_BUCKET=/tmp/pictures backup 2>/dev/null
      ${beside}`,
  });
}

const outcome = `psql --dbname="$DATABASE_URL" --tuples-only --no-align --command="
  select succeeded, lost_seconds > 0, restore_seconds >= 0, to_regclass('restore_drill_marks')
  from restore_drills"`;

async function run(copy: string, beside = ""): Promise<string> {
  const pod = drill(copy, beside);
  try {
    const script = `restore-drill || echo "ended with $?"; ${outcome}`;
    return (await pod.command(["bash", "--norc", "-c", script])).output;
  } finally {
    pod.close();
  }
}

test("a drill restores the database, compares it, and writes down what would have been lost", async () => {
  const said = await run(picture);
  expect(said).toContain("tasks: 1000 restored");
  expect(said).toContain("pictures: 1 compared");
  expect(said).not.toContain("ended with");
  expect(said).toMatch(/^t\|t\|t\|$/m);
});

test("a drill fails, and says so, where the copy of a picture is not the picture", async () => {
  const said = await run("another picture");
  expect(said).toContain(`the copy of ${key} is not the picture`);
  expect(said).toContain("ended with 1");
  expect(said).toMatch(/^f\|t\|t\|$/m);
});

/** Root's: another byte in the middle of a file of the archive, by its end. */
const flips = `
  flip() {
    file=$(find "$bucket/archive" -type f -path "*$1" | sort | tail -n 1)
    size=$(stat --format=%s "$file")
    byte=$(od --address-radix=n --format=u1 --skip-bytes=$((size / 2)) --read-bytes=1 "$file")
    printf "\\x$(printf %x $((byte ^ 1)))" |
      dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
  }`;

/** Each kind of object that an archive has. */
const kinds = [
  ...["archive.info", "archive.info.copy", "backup.info", "backup.info.copy"],
  ...["F/backup.manifest", "F/backup.manifest.copy", "F/bundle/1"],
  ...["I/backup.manifest", "I/backup.manifest.copy", "I/bundle/1"],
  ...["000000000000001-*", "F/pg_data/backup_label.zst"],
];

test("a flipped byte in any kind of object of the archive is found, of those that no restore reads, too", async () => {
  const pod = drill(
    picture,
    `${flips}
    psql --quiet --host=localhost --username=aigc aigc --command="update tasks set images = null"
    as pgbackrest --type=incr backup
    while sleep 0.1; do
      [ ! -e /tmp/kind ] || { flip "$(cat /tmp/kind)" >/tmp/flip.log 2>&1; rm /tmp/kind; }
    done &`,
  );
  const script = `
    flip() { echo "$1" >/tmp/kind.new; mv /tmp/kind.new /tmp/kind; while [ -e /tmp/kind ]; do sleep 0.05; done; }
    verify-archive && echo "whole at first"
    for kind in ${kinds.map((kind) => `'${kind}'`).join(" ")}; do
      flip "$kind"
      verify-archive >/dev/null 2>&1 && echo "passed over: $kind" || echo "found: $kind"
      flip "$kind"
    done
    verify-archive && echo "whole at last"`;
  try {
    const { output } = await pod.command(["bash", "--norc", "-c", script]);
    for (const kind of kinds) expect(output).toContain(`found: ${kind}\n`);
    expect(output).toContain("whole at first");
    expect(output).toContain("whole at last");
  } finally {
    pod.close();
  }
});

test("a drill fails, and says so, where something else of the archive is damaged", async () => {
  const said = await run(picture, `${flips}\nflip archive.info.copy`);
  expect(said).toContain("the archive is damaged");
  expect(said).toMatch(/^f\|t\|t\|$/m);
});

test("a drill fails, and says so, where the newest dump is damaged", async () => {
  const said = await run(
    picture,
    `printf '#' | dd of="$(ls "$bucket"/database/*.dump)" bs=1 seek=2000 conv=notrunc`,
  );
  expect(said).toContain("the newest dump is damaged");
  expect(said).toMatch(/^f\|\|\|$/m);
});

test("a drill fails, and says so, where its volume is full", async () => {
  const said = await run(picture, "mount -t tmpfs -o size=20m,mode=777 tmpfs /scratch");
  expect(said).toContain("No space left on device");
  expect(said).toContain("ended with");
  expect(said).toMatch(/^f\|\|\|$/m);
});
