import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeAlertCases } from "./promtool";

const promtool = (args: string[], cwd?: string) =>
  spawnSync("promtool", args, { encoding: "utf8", cwd });

test.for([
  ["prod", "prod"],
  ["elastic", "elastic"],
  ["alternatives", "alternatives"],
  ["operated", "prod"],
] as const)(
  "%s: each alert fires when it should and is quiet when it should",
  ([stack, like], context) => {
    context.skip(
      promtool(["--version"]).error !== undefined,
      "promtool is not on the PATH; test/vendors runs the same in the image of Prometheus",
    );
    const directory = mkdtempSync(join(tmpdir(), "image-service-alerts-"));
    const files = writeAlertCases(stack, directory, like);
    const { stdout, stderr } = promtool(["test", "rules", ...files], directory);
    rmSync(directory, { recursive: true });
    expect((stdout + stderr).match(/SUCCESS/g), stdout + stderr).toHaveLength(files.length);
  },
);
