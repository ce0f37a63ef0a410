import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyPack } from "../recorder/policyPack";
import { RecordedStack } from "../recorder/stack";

let stack: RecordedStack;
let preview: () => ReturnType<RecordedStack["run"]>;

beforeAll(async () => {
  stack = await RecordedStack.create("as configured");
  const { args, environment } = policyPack(stack);
  preview = () => stack.run(["preview", ...args], environment);
});

afterAll(() => stack?.close());

test("the engine lets prod through the policy pack", async () => {
  const { status, output } = await preview();
  expect(output).toContain("✅ image-service");
  expect(status).toBe(0);
});

test("the engine stops a preview of pods that may run as root, and names the rule", async () => {
  const file = join(stack.directory, "components/kubernetes/pods.ts");
  const safe = readFileSync(file, "utf8");
  writeFileSync(file, safe.replace("runAsNonRoot: true", "runAsNonRoot: false"));
  const { status, output } = await preview();
  expect(output).toMatch(/\[mandatory\]\s+.*pod-security-restricted.*redis-server/);
  expect(output).toContain("its pod may run as root; set runAsNonRoot: true");
  expect(status).not.toBe(0);
});
