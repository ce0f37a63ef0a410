import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../local/paths";

// What biome.json forbids, so that a rule that was lost in it is missed.

const importing = (module: string) => `import * as it from "${module}";\n\nconsole.log(it);\n`;
const environment = "export const home = process.env.HOME;\n";

/** Promise → a file that breaks it, its text, and the rule that says so. */
const broken: [string, string, string, string][] = [
  [
    "a component reads no configuration",
    "components/service/configured.ts",
    importing("../../config"),
    "noRestrictedImports",
  ],
  [
    "a component has no choices of the stack",
    "components/chosen.ts",
    importing("../stack/stores"),
    "noRestrictedImports",
  ],
  [
    "a component reads no environment",
    "components/service/environment.ts",
    environment,
    "noProcessEnv",
  ],
  ["the stack's choices read no environment", "stack/environment.ts", environment, "noProcessEnv"],
  [
    "configuration knows no component",
    "config/component.ts",
    importing("../components/names"),
    "noRestrictedImports",
  ],
  [
    "the local cluster knows nothing of the program",
    "local/program.ts",
    importing("../config/schema"),
    "noRestrictedImports",
  ],
  ["no debugger stays", "debugger.ts", "debugger;\n", "noDebugger"],
  ["no type is waved through", "any.ts", "export const it = 1 as any;\n", "noExplicitAny"],
  [
    "what is compared is of one type",
    "equal.ts",
    'export const it = "1" == process.argv[0];\n',
    "noDoubleEquals",
  ],
  [
    "no promise is left to itself",
    "promise.ts",
    "async function work(): Promise<void> {}\n\nwork();\n",
    "noFloatingPromises",
  ],
];
const allowed = "components/service/allowed.ts";

let directory: string;
let faults: { category: string; location: { path: string } }[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "image-service-lint-"));
  copyFileSync(join(repository, "biome.json"), join(directory, "biome.json"));
  const right: (typeof broken)[number] = ["", allowed, importing("../names"), ""];
  for (const [, file, text] of [...broken, right]) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  const { stdout } = spawnSync(
    join(repository, "node_modules/.bin/biome"),
    ["lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"],
    { cwd: directory, encoding: "utf8" },
  );
  faults = JSON.parse(stdout).diagnostics;
});

afterAll(() => rmSync(directory, { recursive: true }));

const rulesBroken = (file: string) =>
  faults.filter(({ location }) => location.path === file).map(({ category }) => category);

test.each(broken)("%s", (_, file, __, rule) => {
  expect(rulesBroken(file)).toEqual([expect.stringMatching(new RegExp(`/${rule}$`))]);
});

test("a component may import its siblings", () => {
  expect(rulesBroken(allowed)).toEqual([]);
});
