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
  create table tasks (id text); insert into tasks values ('a task');
  create table backups (finished_at timestamptz)"
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

test("prod: what a backup copies, a restore puts back, unless it has changed", async () => {
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
    beside: servers + serve(7070, "S3_BUCKET", "STORE") + serve(7071, "BACKUP_BUCKET", "BACKUP"),
  });
  const walk = `
    sql() { psql --dbname="$DATABASE_URL" --tuples-only --no-align --command="$1"; }
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
    sql "select count(*) from tasks"`;
  const { status, output } = await backup.command(["bash", "--norc", "-euc", walk]);
  expect(status, output).toBe(0);
  expect(output).toMatch(/restored \S+\.dump\na task\na picture\na picture\n2$/m);
  expect(output, "a dump with another byte").toMatch(/refused\n2$/m);
});
