import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { parseValue, type Values } from "../config";
import { UserError } from "../local/errors";
import { interrupt, run } from "../local/run";

/** As `pulumi config --json` prints a value; a secret's only with --show-secrets. */
interface Entry {
  value?: string;
  secret: boolean;
}

/** What a stack is configured with: plain values by key, and which secrets are set. */
export async function readConfig(stack: string): Promise<{ values: Values; secrets: string[] }> {
  const json = await pulumi(stack, ["config", "--json"]);
  const entries = Object.entries(JSON.parse(json) as Record<string, Entry>).map(
    ([key, entry]) => [key.replace(/^.*:/, ""), entry] as const,
  );
  return {
    values: Object.fromEntries(
      entries
        .filter(([, { value, secret }]) => !secret && value !== "")
        .map(([key, { value = "" }]) => [key, parseValue(value)]),
    ),
    secrets: entries.filter(([, { secret }]) => secret).map(([key]) => key),
  };
}

/** Sets secrets in a stack's file: all of them, or none. */
export async function setSecrets(stack: string, secrets: Map<string, string>): Promise<void> {
  const name = stack.replace(/^.*\//, "");
  const file = `Pulumi.${name}.yaml`;
  const copy = `.Pulumi.${name}.new.yaml`;
  try {
    if (existsSync(file)) copyFileSync(file, copy);
    for (const [key, value] of secrets) {
      // On its standard input: arguments are for everybody on the machine to read.
      await pulumi(stack, ["config", "set", "--secret", key, "--config-file", copy], value);
    }
    if (secrets.size > 0) renameSync(copy, file);
  } finally {
    rmSync(copy, { force: true });
  }
}

/** @throws UserError with what the CLI said */
async function pulumi(stack: string, args: string[], input?: string): Promise<string> {
  try {
    return await run("pulumi", [...args, "--stack", stack, "--non-interactive"], { input });
  } catch (error) {
    interrupt.signal.throwIfAborted();
    const { message } = error as Error;
    const fix = message.includes("ENOENT")
      ? "install the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/"
      : `pulumi login and pulumi stack init ${stack} come first (docs/production.md)`;
    throw new UserError(message, fix);
  }
}
