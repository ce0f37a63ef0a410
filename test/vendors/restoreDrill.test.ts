import { expect, test } from "vitest";
import { GoldenPod } from "./pod";

// The drill's pod as the local stack declares it, beside a database with an archive.

const picture = "a picture";
const key = "outputs/a-task/1/0.png";

/** @param copy of the picture in the backup bucket */
function drill(copy: string): GoldenPod {
  const bare = new GoldenPod("local", "restore-drill-weekly");
  const { environment } = bare;
  bare.close();
  const option = (name: string) => environment[`PGBACKREST_REPO1_${name}`];
  const exported = Object.entries(environment)
    .filter(([name]) => name.startsWith("PGBACKREST_"))
    .map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`);
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
        insert into backups values (now());
        create table restore_drills (finished_at timestamptz, succeeded boolean,
          lost_seconds float, restore_seconds float)"
      as pgbackrest stanza-create
      as pgbackrest backup`,
  });
}

const outcome = `psql --dbname="$DATABASE_URL" --tuples-only --no-align --command="
  select succeeded, lost_seconds > 0, restore_seconds >= 0, to_regclass('restore_drill_marks')
  from restore_drills"`;

async function run(copy: string): Promise<string> {
  const pod = drill(copy);
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
