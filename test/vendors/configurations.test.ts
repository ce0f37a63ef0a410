import { copyFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { run } from "../../local/run";
import { rulesOf } from "../golden/alerts";
import { accepted, stacks } from "../golden/stacks";
import { writeAlertCases } from "../unit/observability/promtool";
import { GoldenPod } from "./pod";

// What the program renders, put before the programs that read it.

const made: GoldenPod[] = [];

function pod(stack: string, name: string): GoldenPod {
  const golden = new GoldenPod(stack, name);
  made.push(golden);
  return golden;
}

/** @returns what a command in the place of the pod's own said */
async function told(golden: GoldenPod, ...command: string[]): Promise<string> {
  const { status, output } = await golden.command(command);
  expect(status, output).toBe(0);
  return output;
}

afterAll(() => {
  for (const golden of made) golden.close();
});

/** In place of the golden file's, which is the name of a secret. */
async function certify(directory: string): Promise<void> {
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=rendered", "-out", `${directory}/tls.crt`, "-keyout", `${directory}/tls.key`],
  ]);
  copyFileSync(`${directory}/tls.crt`, `${directory}/ca.crt`);
  await run("chmod", ["a+r", `${directory}/tls.key`]);
}

test.each(stacks)(
  "%s: nginx takes its configuration, without a warning, and starts",
  async (stack) => {
    const nginx = pod(stack, "nginx-server");
    if (stack === "alternatives") await certify(nginx.volume("tls"));
    const file = "/etc/nginx/conf/nginx.conf";
    const said = await told(nginx, "nginx", "-e", "stderr", "-t", "-c", file);
    expect(said.trim().split("\n")).toEqual([
      `nginx: the configuration file ${file} syntax is ok`,
      `nginx: configuration file ${file} test is successful`,
    ]);
    const { status, output } = await nginx.start();
    expect(status, output).toBe(0);
  },
);

const watching = stacks.filter((stack) => "monitoring-server" in accepted(stack));

test.each(watching)("%s: Prometheus takes its configuration and its rules", async (stack) => {
  const prometheus = pod(stack, "monitoring-server");
  const check = (...what: string[]) => told(prometheus, "promtool", "check", ...what);
  // Without its files: a pod's token is none of this machine's.
  expect(await check("config", "--syntax-only", "/etc/prometheus/prometheus.yml")).toContain(
    "is valid prometheus config file syntax",
  );
  expect(await check("rules", "/etc/prometheus/alerts.yml")).toContain(
    `${rulesOf(stack).length} rules found`,
  );
});

test.each([
  ["prod", "prod"],
  ["elastic", "elastic"],
  ["alternatives", "alternatives"],
  // It has no Prometheus, and alerts as prod has.
  ["operated", "prod"],
])("%s: each alert fires when it should and is quiet when it should", async (stack, like) => {
  const prometheus = pod(like, "monitoring-server");
  const files = writeAlertCases(stack, prometheus.volume("data"), like);
  const command = ["promtool", "test", "rules", ...files.map((file) => `/prometheus/${file}`)];
  const said = await told(prometheus, "env", "TMPDIR=/prometheus", ...command);
  expect(said.match(/SUCCESS/g), said).toHaveLength(files.length);
});

test.each(["prod", "alternatives"])("%s: Alertmanager takes its configuration", async (stack) => {
  const alertmanager = pod(stack, "monitoring-alertmanager-server");
  expect(
    await told(alertmanager, "amtool", "check-config", "/etc/alertmanager/alertmanager.yml"),
  ).toContain("SUCCESS");
});

test("Alertmanager hides what follows from a cause, of the same stack, and no other cause", async () => {
  const alertmanager = pod("elastic", "monitoring-alertmanager-server");
  const given = [
    "DatabaseDown namespace=one",
    "RedisDown namespace=one",
    "QueueWaits namespace=one model=a",
    "RequestsFail namespace=one",
    "RequestsFail namespace=other",
    "NoWorkerStarts namespace=other model=b job=worker",
    "QueueWaits namespace=other model=a",
    "QueueWaits namespace=other model=b",
  ];
  const amtool = "amtool --alertmanager.url=http://127.0.0.1:9093";
  const script = `
    ${alertmanager.container.command.join(" ")} >/dev/null 2>&1 &
    until ${amtool} alert query >/dev/null 2>&1; do sleep 0.1; done
    ${given.map((alert) => `${amtool} alert add ${alert}`).join("\n")}
    ${amtool} --output json alert query --active --inhibited`;
  const alerts = JSON.parse(await told(alertmanager, "sh", "-c", script)) as {
    labels: Record<string, string>;
    status: { state: string };
  }[];
  const active = alerts
    .filter(({ status }) => status.state === "active")
    .map(({ labels: { alertname, namespace, model } }) => [alertname, namespace, model].join(" "));
  expect(active.sort()).toEqual([
    "DatabaseDown one ",
    "NoWorkerStarts other b",
    "QueueWaits other a",
    "RedisDown one ",
    "RequestsFail other ",
  ]);
  expect(alerts.length).toBe(given.length);
});
