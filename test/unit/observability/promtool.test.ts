import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rulesFileOf } from "../../golden/alerts";
import { renderAlertCases } from "./promtool";

const promtool = (...args: string[]) => spawnSync("promtool", args, { encoding: "utf8" });

// test/vendors runs the same in the image of Prometheus, wherever the images are built.
test.skipIf(promtool("--version").error).each(["prod", "elastic"])(
  "%s: each alert fires when it should and is quiet when it should",
  (stack) => {
    const directory = mkdtempSync(join(tmpdir(), "image-service-alerts-"));
    writeFileSync(join(directory, "alerts.yml"), rulesFileOf(stack));
    writeFileSync(join(directory, "cases.yml"), renderAlertCases(stack, "alerts.yml"));
    const { stdout, stderr } = promtool("test", "rules", join(directory, "cases.yml"));
    rmSync(directory, { recursive: true });
    expect(stdout + stderr).toContain("SUCCESS");
  },
);
