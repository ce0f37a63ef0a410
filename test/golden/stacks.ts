import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { environment } from "../environment";
import type { Values } from "../placeholders";
import type { Declaration, Declared } from "./record";

/**
 * Beside the two of the repository one that takes every alternative, one without Cloudflare, and one
 * whose workers follow the work.
 */
export const stacks = ["local", "prod", "alternatives", "direct", "elastic"];

/** Programs of their own, in examples/; each with every alternative that it has. */
export const examples = ["eks"];

/** What the program declares today, by logical name. */
export async function declare(stack: string): Promise<Declared> {
  const [line] = await record(stack);
  return JSON.parse(line as string) as Declared;
}

/** The same with other values of configuration, or how the program refuses them. */
export async function declareEach(
  stack: string,
  edits: Values[],
): Promise<(Declared | { refused: string })[]> {
  const lines = await record(stack, JSON.stringify(edits));
  return lines.map((line) => JSON.parse(line) as Declared | { refused: string });
}

/** Runs the program in a process of its own, as the engine does. */
async function record(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    // Many runs leave much behind: a larger young generation takes a fifth of the time away.
    ["--max-semi-space-size=64", "--require", "tsx/cjs", join(__dirname, "record.ts"), ...args],
    // With somebody's kubeconfig, which no stack may take for its own.
    { env: { ...process.env, ...environment, KUBECONFIG: "somebody's" }, maxBuffer: 256 << 20 },
  );
  return stdout.trimEnd().split("\n");
}

const directory = (stack: string) => join(__dirname, stack);

/** What a person has accepted, by logical name. */
export function accepted(stack: string): Record<string, Declaration> {
  return Object.fromEntries(
    readdirSync(directory(stack)).map((file) => [
      file.replace(/\.json$/, ""),
      JSON.parse(readFileSync(join(directory(stack), file), "utf8")) as Declaration,
    ]),
  );
}

export function accept(stack: string, declared: Record<string, Declaration>): void {
  rmSync(directory(stack), { recursive: true, force: true });
  mkdirSync(directory(stack));
  for (const [name, declaration] of Object.entries(declared)) {
    const file = join(directory(stack), `${name}.json`);
    writeFileSync(file, `${JSON.stringify(declaration, null, 2)}\n`);
  }
}
