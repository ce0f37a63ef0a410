import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tlsDirectory } from "../../components/edge/nginxConf";
import { renderAlertmanagerConfig } from "../../components/observability/alertmanager";
import { alerts, renderAlertRules } from "../../components/observability/alerts";
import { buildah, imageTag } from "../../local/images";
import { run } from "../../local/run";
import { accepted, stacks } from "../golden/stacks";
import { renderAlertCases } from "../unit/observability/promtool";

// What the program renders, put before the programs that read it, in the images that run them.

const log = "image-rendered";
const containers: Record<string, string> = {};
let scratch: string;

/** Runs a command in an image that sees the test's files under /rendered. @returns what it said */
const inImage = (image: string, ...command: string[]) =>
  buildah(log, [
    ...["run", "--volume", `${scratch}:/rendered:ro`],
    ...["--volume", `${scratch}/tls:${tlsDirectory}:ro`, containers[image] as string],
    ...["--", "sh", "-euc", `${command.join(" ")} 2>&1`],
  ]);

function write(file: string, text: string): void {
  mkdirSync(dirname(join(scratch, file)), { recursive: true });
  writeFileSync(join(scratch, file), text);
}

/** A golden ConfigMap's files. */
function configFiles(stack: string, name: string): [string, string][] {
  const inputs = accepted(stack)[name]?.inputs as { data: Record<string, { lines: string[] }> };
  return Object.entries(inputs.data).map(([file, { lines }]) => [file, lines.join("\n")]);
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "image-service-rendered-"));
  mkdirSync(join(scratch, "tls"));
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=rendered", "-out", `${scratch}/tls/tls.crt`],
    ...["-keyout", `${scratch}/tls/tls.key`],
  ]);
  await run("cp", [`${scratch}/tls/tls.crt`, `${scratch}/tls/ca.crt`]);
  for (const stack of stacks) {
    for (const name of ["nginx-config", "monitoring-config"]) {
      for (const [file, text] of configFiles(stack, name)) write(`${stack}/${file}`, text);
    }
  }
  for (const image of ["nginx", "prometheus"]) {
    // nginx looks its resolver up when it reads its configuration.
    const dns = ["--add-host", "kube-dns.kube-system.svc.cluster.local:127.0.0.1"];
    containers[image] = (await buildah(log, ["from", ...dns, imageTag(image)])).trim();
  }
});

afterAll(async () => {
  await buildah(log, ["rm", ...Object.values(containers)]);
  rmSync(scratch, { recursive: true });
});

test.each(stacks)("%s: nginx takes its configuration, without a warning", async (stack) => {
  const file = `/rendered/${stack}/nginx.conf`;
  expect((await inImage("nginx", "nginx -e stderr -t -c", file)).trim().split("\n")).toEqual([
    `nginx: the configuration file ${file} syntax is ok`,
    `nginx: configuration file ${file} test is successful`,
  ]);
});

test.each(stacks)("%s: Prometheus takes its configuration and its rules", async (stack) => {
  const said = await inImage(
    "prometheus",
    `promtool check config /rendered/${stack}/prometheus.yml`,
  );
  expect(said).toContain(`${alerts.length} rules found`);
});

test("Alertmanager takes its configuration", async () => {
  write("alertmanager.yml", renderAlertmanagerConfig());
  const said = await inImage("prometheus", "amtool check-config /rendered/alertmanager.yml");
  expect(said).toContain("SUCCESS");
});

test("each alert fires when it should and is quiet when it should", async () => {
  write("alerts.yml", renderAlertRules());
  write("cases.yml", renderAlertCases("alerts.yml"));
  expect(await inImage("prometheus", "promtool test rules /rendered/cases.yml")).toContain(
    "SUCCESS",
  );
});
