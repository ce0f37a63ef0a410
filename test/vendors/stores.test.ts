import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { accepted } from "../golden/stacks";
import { archivedDatabase } from "./archivedDatabase";
import { GoldenPod } from "./pod";

// Every pod with a volume of its own, started as prod declares it.

const names = Object.entries(accepted("prod"))
  .filter(([, { type }]) => type === "kubernetes:apps/v1:StatefulSet")
  .map(([name]) => name);
const pods = Object.fromEntries(
  names.map((name) => [
    name,
    // Elsewhere it has AWS for its archive.
    name === "postgres-server" ? archivedDatabase() : new GoldenPod("prod", name),
  ]),
);

async function started(pod: GoldenPod): Promise<void> {
  const { status, output } = await pod.start();
  expect(status, output).toBe(0);
}

afterAll(() => {
  for (const pod of Object.values(pods)) pod.close();
});

test.each(Object.entries(pods))("%s starts, and again on what it left", async (_, pod) => {
  await started(pod);
  await started(pod);
});

/**
 * What the kubelet does to a volume with fsGroup at a mount.
 * https://github.com/kubernetes/kubernetes/blob/v1.37.0/pkg/volume/volume_linux.go, changeFilePermission
 */
function openToGroup(path: string): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  chmodSync(path, status.mode | (status.isDirectory() ? 0o2770 : 0o660));
  if (!status.isDirectory()) return;
  for (const entry of readdirSync(path)) openToGroup(join(path, entry));
}

test.each(Object.entries(pods))("%s starts on a volume opened to its group", async (_, pod) => {
  openToGroup(pod.volume("data"));
  await started(pod);
});

test("a database with a client at work ends by itself, and has nothing to recover", async () => {
  const pod = pods["postgres-server"] as GoldenPod;
  const { command, lifecycle } = pod.container;
  const walk = `
    "$@" & server=$!
    until pg_isready --quiet; do sleep 0.1; done
    psql --username=aigc --command="select pg_sleep(600)" 2>/dev/null &
    until psql --username=aigc --command="select wait_event from pg_stat_activity" | grep PgSleep
    do sleep 0.1; done
    # As the kubelet ends a container.
    ${lifecycle?.preStop.exec.command.join(" ")} || true
    kill -TERM $server
    (sleep 20; kill -KILL $server) >/dev/null 2>&1 & patience=$!
    wait $server || echo "ended with $?"
    kill $patience
    "$@" & server=$!
    until pg_isready --quiet; do sleep 0.1; done
    kill -INT $server
    wait $server`;
  const { status, output } = await pod.command([
    ...["bash", "--norc", "-uc", walk, "bash"],
    ...command,
  ]);
  expect(status, output).toBe(0);
  expect(output).toContain("database system was shut down at");
  expect(output).not.toMatch(/ended with|not properly shut down/);
});
