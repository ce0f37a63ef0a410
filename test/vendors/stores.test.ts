import { chmodSync, lstatSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { accepted } from "../golden/stacks";
import { GoldenPod } from "./pod";

// Every pod with a volume of its own, started as prod declares it.

const names = Object.entries(accepted("prod"))
  .filter(([, { type }]) => type === "kubernetes:apps/v1:StatefulSet")
  .map(([name]) => name);
const pods = Object.fromEntries(names.map((name) => [name, new GoldenPod("prod", name)]));

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

test("a database that is marked to be set aside makes room for a new one, and is kept", async () => {
  const pod = new GoldenPod("prod", "postgres-server");
  try {
    await started(pod);
    const volume = pod.volume("data");
    writeFileSync(join(volume, "data/set-aside"), "");
    writeFileSync(join(volume, "data/of-the-old-one"), "");
    await started(pod);
    expect(readdirSync(join(volume, "data-18"))).toContain("of-the-old-one");
    expect(readdirSync(join(volume, "data"))).not.toContain("of-the-old-one");
    await started(pod);
    expect(readdirSync(volume).sort()).toEqual(["data", "data-18"]);
  } finally {
    pod.close();
  }
});
