import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { randomSecrets } from "../../config/secrets";
import { repository } from "../../local/paths";
import { ensureToolchain } from "../../local/toolchain";
import { environment } from "../environment";

// `npm run secrets` with the real Pulumi CLI, in a project whose file needs these two besides.

const typed = {
  alertWebhook: "https://hooks.example/T00/B00",
  cloudflareApiToken: "typed+token=1",
};
// prod has no webhooks.
const random = Object.keys(randomSecrets).filter((key) => key !== "webhookSecret");
const needed = [...random, ...Object.keys(typed)].sort();
// As package.json has it.
const command = [join(repository, "local/bootstrap.cjs"), "secrets/main.ts"];
const own = `# A comment of its owner's.
config:
  image-service:cloudflare: { mode: tunnel }
`;

let directory: string;
let project: string;
let env: NodeJS.ProcessEnv;
let file: string;
let untouched: string;

/** The CLI's arguments are written down first; it fails where it is told to. */
const watched = `#!/bin/sh
echo "$@" >>"$ARGUMENTS"
case " $* " in *" $FAIL_ON "*) echo "error: told to fail" >&2; exit 1 ;; esac
exec "$PULUMI" "$@"
`;

beforeAll(async () => {
  const toolchain = await ensureToolchain(() => {}, ["pulumi"]);
  directory = mkdtempSync(join(tmpdir(), "image-service-secrets-"));
  const programs = join(directory, "programs");
  mkdirSync(programs);
  writeFileSync(join(programs, "pulumi"), watched);
  chmodSync(join(programs, "pulumi"), 0o755);
  env = {
    ...process.env,
    ...environment,
    PATH: [programs, dirname(toolchain.pulumi), process.env.PATH].join(delimiter),
    PULUMI: toolchain.pulumi,
    ARGUMENTS: join(directory, "arguments"),
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase",
    PULUMI_HOME: join(directory, "home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  project = join(directory, "project");
  file = join(project, "Pulumi.prod.yaml");
  mkdirSync(project);
  writeFileSync(join(project, "Pulumi.yaml"), "name: image-service\nruntime: nodejs\n");
  pulumi("stack", "init", "prod", "--secrets-provider=passphrase");
  untouched = readFileSync(file, "utf8") + own;
});

afterAll(() => rmSync(directory, { recursive: true }));

beforeEach(() => {
  writeFileSync(file, untouched);
  writeFileSync(env.ARGUMENTS as string, "");
});

function pulumi(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(env.PULUMI as string, args, {
    cwd: project,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

function secrets(): Record<string, string> {
  const json = pulumi("config", "--json", "--show-secrets", "--stack", "prod");
  const entries = Object.entries(JSON.parse(json) as Record<string, { value: string }>);
  const named = entries.map(([key, { value }]) => [key.replace("image-service:", ""), value]);
  return Object.fromEntries(named.filter(([key]) => needed.includes(key as string)));
}

interface Screen {
  text: string;
  status: number | null;
}

/**
 * Runs the command on a terminal.
 * @param keys what is typed once a question has this key
 */
async function onTerminal(keys: Record<string, string>, more = {}): Promise<Screen> {
  const line = [process.execPath, ...command, "prod"].map((word) => `'${word}'`).join(" ");
  const child: ChildProcess = spawn("script", ["-qefc", line, "/dev/null"], {
    cwd: project,
    env: { ...env, ...more },
  });
  let text = "";
  const waiting = new Map(Object.entries(keys));
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const [key, answer] of waiting) {
      if (!text.includes(`${key} (`)) continue;
      waiting.delete(key);
      child.stdin?.write(answer);
    }
  });
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { text, status };
}

const answers = Object.fromEntries(
  Object.entries(typed).map(([key, value]) => [key, `${value}\r`]),
);

function withoutTerminal(...args: string[]) {
  return spawnSync(process.execPath, [...command, ...args], {
    cwd: project,
    env,
    encoding: "utf8",
  });
}

test("every secret that the stack needs is made or asked for, and shown nowhere", async () => {
  const { text, status } = await onTerminal(answers);
  expect(status, text).toBe(0);
  const values = secrets();
  expect(Object.keys(values).sort()).toEqual(needed);
  expect(values).toMatchObject(typed);
  for (const key of random) expect(values[key]).toMatch(/^[0-9a-f]{20,}$/);
  expect(new Set(Object.values(values)).size).toBe(needed.length);
  const seen = text + readFileSync(env.ARGUMENTS as string, "utf8") + readFileSync(file, "utf8");
  for (const value of Object.values(values)) expect(seen).not.toContain(value);
  for (const key of needed) expect(text).toContain(key);
});

test("what is set stays, as does the rest of the file", async () => {
  await onTerminal(answers);
  const written = readFileSync(file, "utf8");
  expect(written).toContain("# A comment of its owner's.");
  const again = withoutTerminal("prod");
  expect(again.status, again.stderr).toBe(0);
  expect(again.stdout).toContain("apiSecret  was set");
  expect(readFileSync(file, "utf8")).toBe(written);
});

test("a file's content is taken by @FILE, all lines of it", async () => {
  const lines = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
  writeFileSync(join(directory, "key.pem"), `${lines}\n`);
  const { status } = await onTerminal({ ...answers, cloudflareApiToken: "@../key.pem\r" });
  expect(status).toBe(0);
  expect(secrets().cloudflareApiToken).toBe(lines);
});

test.each([
  ["Ctrl-C at a question", { ...answers, alertWebhook: "\u0003" }, {}, 130, "no secret was set"],
  [
    "lines that were pasted",
    { ...answers, alertWebhook: "-----BEGIN X-----\rAA\r" },
    {},
    1,
    "give the file",
  ],
  ["a CLI that fails on the way", answers, { FAIL_ON: "s3AccessKeyId" }, 1, "told to fail"],
])("%s leaves nothing half done", async (_, keys, more, status, said) => {
  const screen = await onTerminal(keys, more);
  expect(screen.text).toContain(said);
  expect(screen.status).toBe(status);
  expect(readFileSync(file, "utf8")).toBe(untouched);
  expect(readdirSync(project).sort()).toEqual(["Pulumi.yaml", "Pulumi.prod.yaml"].sort());
});

test.each<[string, string[], string]>([
  ["no stack", [], "one stack has to be named"],
  ["two stacks", ["one", "two"], "one stack has to be named"],
  ["an unknown option", ["--force"], "Unknown option '--force'"],
  ["a stack that there isn't", ["nowhere"], "no stack named 'nowhere' found"],
])("%s: one message says what is wrong and what to do", (_, args, message) => {
  const { stderr, status } = withoutTerminal(...args);
  expect(stderr).toContain(message);
  expect(stderr).toContain("fix:   ");
  expect(stderr).not.toContain("    at ");
  expect(status).toBe(1);
});

test("where nothing can be asked, it says which secrets are missing", () => {
  const { stderr, status } = withoutTerminal("prod");
  expect(stderr).toContain("cloudflareApiToken, alertWebhook");
  expect(status).toBe(1);
});

test("a configuration that can't tell what it needs is named", () => {
  pulumi("config", "set", "--path", "cloudflare.mode", "tunel", "--stack", "prod");
  const { stderr, status } = withoutTerminal("prod");
  expect(stderr).toContain("cloudflare in its configuration is wrong");
  expect(status).toBe(1);
});

test("--help says what it does, without a stack or the CLI", () => {
  const { stdout, status } = withoutTerminal("--help");
  expect(stdout).toContain("npm run secrets -- STACK");
  expect(status).toBe(0);
});
