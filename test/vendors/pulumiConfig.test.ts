import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { keyArgument } from "../../config/keyPath";
import { ensureToolchain } from "../../local/toolchain";
import { environment } from "../environment";

// The commands that mend a configuration, as its errors name them, given to the real Pulumi CLI.

let project: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const { pulumi } = await ensureToolchain(() => {}, ["pulumi"]);
  project = mkdtempSync(join(tmpdir(), "image-service-keys-"));
  writeFileSync(join(project, "Pulumi.yaml"), "name: image-service\nruntime: nodejs\n");
  env = {
    ...process.env,
    ...environment,
    PULUMI: pulumi,
    PULUMI_BACKEND_URL: `file://${project}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase",
    PULUMI_HOME: join(project, "home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  shell('"$PULUMI" stack init test --secrets-provider=passphrase');
});
afterAll(() => rmSync(project, { recursive: true }));

function shell(command: string): void {
  const { status, stderr } = spawnSync("sh", ["-c", command], {
    cwd: project,
    env,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
}

const there = {
  endpoint: "https://images.example",
  aws: {
    subnetIds: ["one", "two"],
    tags: { "cost.center": "old", 'the "team"': "old", "it's": "old", plain: "old" },
  },
  workers: { tolerations: [{ key: "gpu" }] },
};

/** Path of a key, and what it becomes in all that is there. */
const paths: PropertyKey[][] = [
  ["endpoint"],
  ["aws", "subnetIds", 1],
  ["aws", "subnetIds", 2],
  ["aws", "tags", "plain"],
  ["aws", "tags", "cost.center"],
  ["aws", "tags", 'the "team"'],
  ["aws", "tags", "it's"],
  ["workers", "tolerations", 0, "key"],
];

/** The stack's values after a command of `pulumi config`. */
function after(command: string): typeof there {
  const file = join(project, "Pulumi.test.yaml");
  const { encryptionsalt } = parse(readFileSync(file, "utf8")) as { encryptionsalt: string };
  const config = Object.fromEntries(
    Object.entries(there).map(([key, value]) => [`image-service:${key}`, value]),
  );
  writeFileSync(file, JSON.stringify({ encryptionsalt, config }));
  shell(`"$PULUMI" config --stack test ${command}`);
  const changed = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(changed.config).map(([key, value]) => [key.replace(/^.*:/, ""), value]),
  ) as typeof there;
}

/** What is inside an object and its list that a path leads to. */
function parent(values: typeof there, path: PropertyKey[]): Record<PropertyKey, unknown> {
  const inside = path
    .slice(0, -1)
    .reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], values);
  return inside as Record<PropertyKey, unknown>;
}

test.each(paths.map((path) => ({ path })))("$path is set where it is", ({ path }) => {
  const expected = structuredClone(there);
  parent(expected, path)[path.at(-1) as PropertyKey] = "new";
  expect(after(`set ${keyArgument(path)} new`)).toEqual(expected);
});

test.each(paths.slice(3, 7).map((path) => ({ path })))("$path is removed alone", ({ path }) => {
  const expected = structuredClone(there);
  delete parent(expected, path)[path.at(-1) as PropertyKey];
  expect(after(`rm ${keyArgument(path)}`)).toEqual(expected);
});
