import { GoldenPod } from "./pod";

export const picture = "a picture";
export const key = "outputs/a-task/1/0.png";

/** What a drill is given. */
interface Given {
  /** Of the picture, in the backup bucket. */
  copy?: string;
  /** Lines of bash that root runs once there is a backup. */
  beside?: string;
  /** A kilobyte each. */
  tasks?: number;
  /** In production's drill 120, a second apart; with fewer of them the archive is as much quicker. */
  marks?: number;
}

/** The drill's pod as the local stack declares it, beside a database with an archive. */
export function drilledDatabase({
  copy = picture,
  beside = "",
  tasks = 1_000,
  marks = 12,
}: Given = {}): GoldenPod {
  const bare = new GoldenPod("local", "restore-drill-weekly");
  const { environment } = bare;
  bare.close();
  const option = (name: string) => environment[`PGBACKREST_REPO1_${name}`];
  const exported = Object.entries(environment).map(
    ([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`,
  );
  return new GoldenPod("local", "restore-drill-weekly", {
    programs: ["versitygw"],
    env: { MARKS: String(marks) },
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
        -c archive_command='pgbackrest archive-push %p' -c archive_timeout=${marks / 4}s 2>/dev/null >&2 &
      until pg_isready --quiet --host=localhost; do sleep 0.1; done
      psql --quiet --host=localhost --username=aigc postgres --command="create database aigc"
      psql --quiet --host=localhost --username=aigc aigc --command="
        create table tasks (id uuid primary key, status text, images jsonb, created_at timestamptz,
          finished_at timestamptz, prompt text);
        insert into tasks select gen_random_uuid(), case n when 1 then 'succeeded' else 'failed' end, case n when 1 then jsonb_build_array(
          jsonb_build_object('object_key', '${key}', 'sha256', encode(sha256('${picture}'), 'hex')))
          else '[]' end, now(), now() - interval '1 day',
          repeat(md5(n::text), 24) from generate_series(1, ${tasks}) n;
        create table backups (finished_at timestamptz);
        create table restore_drills (finished_at timestamptz, succeeded boolean,
          lost_seconds float, restore_seconds float)" --command="vacuum analyze tasks"
      as pgbackrest stanza-create
      as pgbackrest backup
      mkdir /tmp/pictures
      RCLONE_CONFIG_STORE_TYPE=local S3_BUCKET=/tmp/pictures backup 2>/dev/null
      ${beside}`,
  });
}
