import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { environment } from "../environment";
import type { Declaration } from "./record";

/** Beside the two of the repository one that takes every alternative. */
export const stacks = ["local", "prod", "alternatives"];

/** Programs of their own, in examples/; each with every alternative that it has. */
export const examples = ["eks"];

/** What the program declares today, by logical name; in a process of its own, as the engine does. */
export async function declare(stack: string): Promise<Record<string, Declaration>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--require", "tsx/cjs", join(__dirname, "record.ts"), stack],
    // With somebody's kubeconfig, which no stack may take for its own.
    { env: { ...process.env, ...environment, KUBECONFIG: "somebody's" }, maxBuffer: 64 << 20 },
  );
  return JSON.parse(stdout) as Record<string, Declaration>;
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
