import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { repository } from "../../local/paths";
import { fullKey } from "../placeholders";
import { RecordedStack } from "../recorder/stack";

// The real engine, with recording providers: prod beside a stack that hands over what it needs.

let stack: RecordedStack;
let cluster: string;
const handedOver = {
  context: "arn:aws:eks:eu-central-1:111122223333:cluster/the-cluster",
  podNetwork: "10.20.0.0/16",
};

async function up(exported: object): Promise<void> {
  writeFileSync(join(cluster, "index.js"), `module.exports = ${JSON.stringify(exported)};\n`);
  const { output } = await stack.run(["up", "--yes", "--skip-preview"], {}, cluster);
  expect(output).not.toContain("error:");
}

beforeAll(async () => {
  stack = await RecordedStack.create("as configured");
  cluster = join(stack.directory, "cluster");
  mkdirSync(cluster);
  writeFileSync(join(cluster, "Pulumi.yaml"), stringify({ name: "cluster", runtime: "nodejs" }));
  writeFileSync(join(cluster, "package.json"), JSON.stringify({ main: "index.js" }));
  for (const name of ["node_modules", "tsconfig.json", "tsconfig.pulumi.json"]) {
    symlinkSync(join(repository, name), join(cluster, name));
  }
  expect((await stack.run(["stack", "init"], {}, cluster)).output).toContain("Created stack");
  const file = join(stack.directory, "Pulumi.prod.yaml");
  const { config, ...rest } = parse(readFileSync(file, "utf8"));
  for (const key of Object.keys(handedOver)) delete config[fullKey(key)];
  config[fullKey("infrastructure")] = "organization/cluster/prod";
  writeFileSync(file, stringify({ ...rest, config }));
});

afterAll(() => stack?.close());

test("a stack is stopped whose infrastructure hands over nothing", async () => {
  await up({});
  const { status, output } = await stack.run(["preview"]);
  expect(output).toContain(
    "infrastructure is organization/cluster/prod, but that stack has no output named configuration",
  );
  expect(output).not.toContain("at async");
  expect(status).not.toBe(0);
});

test("a stack is told of its cluster by the stack that made it", async () => {
  await up({ configuration: handedOver });
  const { status, output } = await stack.run(["preview"]);
  expect(output).toMatch(/kubernetes:core\/v1:Namespace namespace create/);
  expect(status).toBe(0);
});

test("what nobody tells is still asked for, key by key", async () => {
  await up({ configuration: { context: handedOver.context } });
  const { status, output } = await stack.run(["preview"]);
  expect(output).toContain("podNetwork is missing; fix: pulumi config set podNetwork VALUE");
  expect(output).not.toContain("context is missing");
  expect(status).not.toBe(0);
});
