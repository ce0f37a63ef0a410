import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repository, state } from "./paths";
import type { ConfigValues } from "./stack";

export type Outputs = Record<string, string>;

/** All that a preview of the program reads; `local` brings the stand-in for the official plugin. */
const program = [
  ...["Pulumi.yaml", "Pulumi.local.yaml", "package-lock.json", "tsconfig.pulumi.json"],
  ...["index.ts", "outputs.ts", "components", "config", "stack", "local"],
];

/** What an `up` was made from, and gave. */
interface LastUp {
  fingerprint: string;
  outputs: Outputs;
}

const fileOf = (stack: string) => join(state, "pulumi/last-up", `${stack}.json`);

/**
 * The outputs of a stack that `pulumi up` would find without a change: it compares the program with
 * the stack's state and doesn't look at the cluster, so the same of both give the same.
 * @param checkpoint the file of the stack's state
 */
export function unchangedOutputs(
  stack: string,
  values: ConfigValues,
  checkpoint: string,
): Outputs | undefined {
  const file = fileOf(stack);
  if (!existsSync(file)) return undefined;
  const { fingerprint, outputs } = JSON.parse(readFileSync(file, "utf8")) as LastUp;
  return fingerprint === fingerprintOf(values, checkpoint) ? outputs : undefined;
}

/** To be called after an `up` that went well, with what it was given. */
export function keepOutputs(
  stack: string,
  values: ConfigValues,
  checkpoint: string,
  outputs: Outputs,
): void {
  const record: LastUp = { fingerprint: fingerprintOf(values, checkpoint), outputs };
  mkdirSync(dirname(fileOf(stack)), { recursive: true });
  writeFileSync(fileOf(stack), JSON.stringify(record), { mode: 0o600 });
}

function fingerprintOf(values: ConfigValues, checkpoint: string): string {
  const hash = createHash("sha256").update(JSON.stringify(values));
  const sources = program.flatMap((name) => filesOf(join(repository, name)));
  for (const file of [...sources.sort(), checkpoint]) {
    const content = existsSync(file) ? readFileSync(file) : "";
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
