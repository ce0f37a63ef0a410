import { afterAll, expect, test } from "vitest";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { others } from "../unit/observability/metrics";
import { type Given, GoldenPod } from "./pod";

// The exporters as the local stack declares them, beside the stores that they ask.

const inputs = (name: string) => plain(accepted("local")[name]?.inputs) as Props;
const postgresUrl = inputs("postgres-exporter-before").stringData.DATABASE_URL as string;

/** The database's owner, in a server of its own. */
const postgres = `
  mount -t tmpfs none /tmp
  chmod 1777 /tmp
  as_postgres() { setpriv --reuid=999 --regid=999 --clear-groups "$@"; }
  echo '${new URL(postgresUrl).password}' >/tmp/password
  as_postgres initdb --pgdata=/tmp/data --username=aigc --pwfile=/tmp/password \\
    --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  as_postgres postgres -D /tmp/data -c listen_addresses=127.0.0.1 \\
    -c unix_socket_directories=/tmp >/tmp/log 2>&1 &
  until pg_isready --quiet --host=/tmp; do sleep 0.1; done
  psql --quiet --host=/tmp --username=aigc postgres --command='create database aigc'
  psql --quiet --host=/tmp --username=aigc aigc --command='create table tasks (id int)' \\
    --command='insert into tasks values (1)'`;

/** The role of an exporter that was there before, with another password. */
const withRole = `${postgres}
  PASSWORD=another DATABASE_URL='${postgresUrl}' monitoring-role monitoring
  PASSWORD="${inputs("postgres-exporter-before").stringData.PASSWORD}" \\
    DATABASE_URL='${postgresUrl}' monitoring-role monitoring`;

const redis = `
  mount -t tmpfs none /tmp
  cat >/tmp/redis.conf <<'CONF'
${inputs("redis-config").stringData["redis.conf"].replace("dir /data", "dir /tmp")}
CONF
  redis-server /tmp/redis.conf >/dev/null &
  until (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null; do sleep 0.1; done`;

const made: GoldenPod[] = [];
afterAll(() => {
  for (const pod of made) pod.close();
});

function exporter(name: string, given: Given): GoldenPod {
  const pod = new GoldenPod("local", name, given);
  made.push(pod);
  return pod;
}

/** @returns what it tells Prometheus, and what it says itself */
async function scraped(pod: GoldenPod): Promise<string> {
  const port = pod.container.ports[0].containerPort as number;
  const script = `
    "$@" & exporter=$!
    until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.1; done
    for _ in first again; do
      exec 3<>/dev/tcp/127.0.0.1/${port}
      printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3
      cat <&3
    done
    kill $exporter`;
  const command = ["bash", "--norc", "-c", script, "bash", ...pod.container.command];
  const { status, output } = await pod.command(command);
  expect(status, output).toBe(0);
  return output;
}

test("the role of PostgreSQL's exporter is made, and made again, and its pod starts", async () => {
  const { status, output } = await exporter("postgres-exporter-server", {
    beside: postgres,
  }).start();
  expect(status, output).toBe(0);
});

test("PostgreSQL's exporter tells all that alerts and dashboards ask for", async () => {
  const told = await scraped(exporter("postgres-exporter-server", { beside: withRole }));
  expect(told).toMatch(/^pg_up 1$/m);
  expect(told).toMatch(/^pg_exporter_last_scrape_error 0$/m);
  for (const metric of others.postgresExporter) expect(told).toMatch(RegExp(`^${metric}[{ ]`, "m"));
});

test("its role reads no table, makes nothing and is no owner", async () => {
  const pod = exporter("postgres-exporter-server", { beside: withRole });
  const statements = ["TABLE tasks", "CREATE TABLE own (id int)", "ALTER ROLE aigc PASSWORD 'x'"];
  const script = `
    export PGPASSWORD="$DATA_SOURCE_PASS"
    for statement in "$@"; do
      psql --host=127.0.0.1 --username="$DATA_SOURCE_USER" aigc --command="$statement" 2>&1
    done
    true`;
  const { output } = await pod.command(["bash", "--norc", "-c", script, "bash", ...statements]);
  expect(output.match(/ERROR: {2}permission denied/g), output).toHaveLength(statements.length);
});

test("Redis' exporter tells all that alerts and dashboards ask for, and misses no permission", async () => {
  const told = await scraped(exporter("redis-exporter-server", { beside: redis }));
  expect(told).toMatch(/^redis_up 1$/m);
  expect(told).not.toContain("NOPERM");
  for (const metric of others.redisExporter) expect(told).toMatch(RegExp(`^${metric}[{ ]`, "m"));
});

test("its user reads no key and no configuration", async () => {
  const pod = exporter("redis-exporter-server", { beside: redis });
  const asked = ["GET key", "CONFIG GET requirepass", "KEYS *", "FLUSHALL"];
  const script = `
    for command in "$@"; do
      REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli --user "$REDIS_USER" $command 2>&1
    done
    true`;
  const { output } = await pod.command(["bash", "-fc", script, "bash", ...asked]);
  expect(output.match(/NOPERM/g), output).toHaveLength(asked.length);
});
