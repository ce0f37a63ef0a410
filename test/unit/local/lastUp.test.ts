import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

const scratch = mkdtempSync(join(tmpdir(), "last-up-"));
const checkpoint = join(scratch, "checkpoint.json");
const values = { images: { api: "api@sha256:1" } };
const outputs = { endpoint: "http://10.0.0.1" };
let lastUp: typeof import("../../../local/lastUp.js");

beforeAll(async () => {
  vi.resetModules(); // others may have imported it
  vi.doMock("../../../local/paths", () => ({ repository: scratch, state: join(scratch, "state") }));
  lastUp = await import("../../../local/lastUp.js");
  for (const folder of ["components/edge", "config", "stack", "local"]) {
    mkdirSync(join(scratch, folder), { recursive: true });
  }
  for (const file of ["Pulumi.yaml", "Pulumi.local.yaml", "package-lock.json"]) {
    writeFileSync(join(scratch, file), "");
  }
  for (const file of ["tsconfig.pulumi.json", "index.ts", "outputs.ts", "components/edge/a.ts"]) {
    writeFileSync(join(scratch, file), "");
  }
});

beforeEach(() => {
  writeFileSync(checkpoint, "{}");
  lastUp.keepOutputs("local", values, checkpoint, outputs);
});

afterAll(() => {
  vi.doUnmock("../../../local/paths");
  rmSync(scratch, { recursive: true });
});

test("a stack whose program, values and state are as the last up left them is not gone through again", () => {
  expect(lastUp.unchangedOutputs("local", { ...values }, checkpoint)).toEqual(outputs);
});

test.for<[string, () => void]>([
  ["the program's files", () => writeFileSync(join(scratch, "components/edge/a.ts"), "changed")],
  ["the state", () => writeFileSync(checkpoint, '{"resources":[]}')],
  ["the state's file, gone", () => rmSync(checkpoint)],
])("a stack is gone through again after a change of %s", ([, change]) => {
  change();
  expect(lastUp.unchangedOutputs("local", values, checkpoint)).toBeUndefined();
});

test("a stack is gone through again for other values, and one never made by this machine always", () => {
  expect(lastUp.unchangedOutputs("local", { images: {} }, checkpoint)).toBeUndefined();
  expect(lastUp.unchangedOutputs("other", values, checkpoint)).toBeUndefined();
});
