import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../local/paths";

const left = [".git", ".venv", "node_modules"];
let directory: string;
let checkout: string;
let scratch: string;
let preload: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "image-service-somebody-"));
  checkout = join(directory, "my checkout");
  cpSync(repository, checkout, {
    recursive: true,
    filter: (path) => !left.includes(basename(path)),
  });
  symlinkSync(join(repository, "node_modules"), join(checkout, "node_modules"));
  scratch = join(directory, "my scratch");
  mkdirSync(scratch);
  preload = join(directory, "my preload.cjs");
  writeFileSync(preload, 'console.log("preloaded");\n');
});

afterAll(() => rmSync(directory, { recursive: true }));

/** What a shell, a git hook or a CI may hold, each at its worst. */
const hostile = () => ({
  PATH: process.env.PATH,
  HOME: "/proc/nobody", // not writable, by root neither
  TMPDIR: scratch,
  KUBECONFIG: "/nowhere/kubeconfig",
  PULUMI_CONFIG: '{"image-client:service":"other"}',
  PULUMI_NODEJS_PROJECT: "other",
  PULUMI_NODEJS_STACK: "other",
  PULUMI_NODEJS_MONITOR: "127.0.0.1:1",
  PULUMI_NODEJS_ENGINE: "127.0.0.1:1",
  PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE: "true",
  PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY: "false",
  AWS_REGION: "us-west-2",
  AWS_PROFILE: "other",
  CLOUDFLARE_API_TOKEN: "other",
  HTTP_PROXY: "http://127.0.0.1:1",
  HTTPS_PROXY: "http://127.0.0.1:1",
  http_proxy: "http://127.0.0.1:1",
  https_proxy: "http://127.0.0.1:1",
  TZ: "Asia/Kathmandu",
  LANG: "tr_TR.UTF-8",
  LC_ALL: "tr_TR.UTF-8",
  NODE_ENV: "production",
  NODE_OPTIONS: `--require "${preload}"`,
  TSX_TSCONFIG_PATH: "/nowhere/tsconfig.json",
  FORCE_COLOR: "3",
  CI: "true",
  GIT_DIR: "/nowhere",
  GIT_WORK_TREE: "/nowhere",
  GIT_INDEX_FILE: "/nowhere/index",
});

test("the unit tests pass whoever runs them, in a checkout without .git whose path has a space", {
  timeout: 300_000,
}, async () => {
  const vitest = join(checkout, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--project=unit"];
  const umask = process.umask(0o077);
  const run = promisify(execFile)(process.execPath, args, { cwd: checkout, env: hostile() });
  process.umask(umask);
  expect((await run).stdout).toMatch(/Tests .*passed/);
});
