import { afterAll, expect, test } from "vitest";
import { ports } from "../../components/names";
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

/** @param edit of sed, in its file */
const nginx = (edit = "") => `
  sed '${edit}' /etc/nginx/conf/nginx.conf >/tmp/nginx.conf
  setpriv --reuid=101 --regid=101 --clear-groups nginx -e stderr -c /tmp/nginx.conf >/dev/null 2>/tmp/error.log
  until (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.1; done`;

const made: GoldenPod[] = [];
afterAll(() => {
  for (const pod of made) pod.close();
});

function exporter(name: string, given: Given = {}): GoldenPod {
  const pod = new GoldenPod("local", name, given);
  made.push(pod);
  return pod;
}

/**
 * @param container of the pod
 * @param between shell line, before it is asked again
 * @returns what it tells Prometheus, and what it says itself
 */
async function scraped(
  pod: GoldenPod,
  container = pod.container,
  between = "true",
): Promise<string> {
  const port = container.ports[0].containerPort as number;
  const script = `
    "$@" & exporter=$!
    until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do
      kill -0 $exporter || exit 1
      sleep 0.1
    done
    for _ in first again; do
      exec 3<>/dev/tcp/127.0.0.1/${port}
      printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3
      cat <&3
      ${between}
    done
    kill $exporter`;
  const command = ["bash", "--norc", "-c", script, "bash", ...container.command];
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

test("nginx' exporter tells all that alerts and dashboards ask for", async () => {
  const pod = exporter("nginx-server", { beside: nginx() });
  const told = await scraped(pod, pod.sidecar);
  expect(told).toMatch(/^nginx_up 1$/m);
  for (const metric of others.nginxExporter) expect(told).toMatch(RegExp(`^${metric}[{ ]`, "m"));
});

test("it tells when nginx doesn't answer, and goes on", async () => {
  const pod = exporter("nginx-server");
  expect((await scraped(pod, pod.sidecar)).match(/^nginx_up 0$/gm)).toHaveLength(2);
});

test("what nginx has no room for are connections that it accepts and doesn't handle", async () => {
  const few =
    "s/worker_connections .*/worker_connections 12;/; s/worker_processes .*/worker_processes 1;/";
  const pod = exporter("nginx-server", { beside: nginx(few) });
  // Each has begun a request, so that nginx can't close it for another's sake.
  const crowd = `
    until grep -q '\\[alert\\].*worker_connections are not enough' /tmp/error.log; do
      exec {each}<>/dev/tcp/127.0.0.1/8080
      printf 'GET' >&$each
      opened="$opened $each"
      sleep 0.05
    done
    for each in $opened; do exec {each}<&-; done
    until (exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /nginx-health HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ok <&3); do
      sleep 0.1
    done`;
  const told = await scraped(pod, pod.sidecar, crowd);
  const count = (connections: string) =>
    Number(
      told
        .match(RegExp(`^nginx_connections_${connections} (\\d+)$`, "gm"))
        ?.at(-1)
        ?.split(" ")[1],
    );
  expect(count("accepted")).toBeGreaterThan(count("handled"));
});

test("nobody outside of the pod reaches what nginx tells its exporter", async () => {
  const pod = exporter("nginx-server", { beside: nginx() });
  const { output } = await pod.command(["bash", "--norc", "-c", "cat /proc/net/tcp"]);
  const listening = [...output.matchAll(/^ *\d+: ([0-9A-F]{8}):([0-9A-F]{4}) \S+ 0A /gm)].map(
    ([, address = "", port = ""]) => [address, Number.parseInt(port, 16)],
  );
  expect(listening).toContainEqual(["0100007F", ports.nginxStatus]);
  expect(listening).not.toContainEqual(["00000000", ports.nginxStatus]);
});

test("a node's exporter tells all that alerts of nodes ask for, by the labels that they know", async () => {
  const pod = exporter("monitoring-server", {
    beside: "mount -t tmpfs disk /tmp",
    mounts: { "/sys": "/sys" },
  });
  const command = ["prometheus-node-exporter", "--web.listen-address=:9100"];
  const told = await scraped(pod, { command, ports: [{ containerPort: 9100 }] });
  for (const metric of others.nodeExporter) expect(told).toMatch(RegExp(`^${metric}[{ ]`, "m"));
  // What another than root may not ask is named all the same.
  expect(told).toMatch(
    /^node_filesystem_readonly\{device="disk",.*fstype="tmpfs",mountpoint=".*\/tmp"\} 0$/m,
  );
  expect(told).toMatch(
    /^node_filesystem_avail_bytes\{device="[^"]+",device_error="",fstype="[^"]+",mountpoint="[^"]+"\} /m,
  );
});
