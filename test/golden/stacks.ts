import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../environment";
import type { Values } from "../placeholders";
import type { Declaration, Declared, Refused, Run } from "./record";

/**
 * Beside the two of the repository one that takes every alternative, one without Cloudflare, one whose
 * workers follow the work, and one that an operator's Prometheus watches.
 */
export const stacks = ["local", "prod", "alternatives", "direct", "elastic", "operated"];

/** Programs of their own, in examples/; each with every alternative that it has. */
export const examples = ["eks"];

/** Those of the repository's own program; made at once, as tests ask for each. */
let own: ReturnType<typeof declareTogether> | undefined;

/** What a program declares today, by logical name. */
export async function declare(stack: string): Promise<Declared> {
  const isExample = examples.includes(stack);
  if (!isExample) own ??= declareTogether([...stacks, "staging"]);
  const declared = await (isExample ? declareTogether([stack]) : own);
  const found = declared?.[stack] as Declared | Refused;
  if (isRefused(found)) throw new Error(found.trace);
  return found;
}

/** The same with other values of configuration, or how the program refuses them. */
export const declareEach = (stack: string, edits: Values[]): Promise<(Declared | Refused)[]> =>
  record(edits.map((values) => [stack, values]));

async function declareTogether(names: string[]): Promise<Record<string, Declared | Refused>> {
  const declared = await record(names.map((stack) => [stack, {}]));
  return Object.fromEntries(names.map((stack, at) => [stack, declared[at] as Declared | Refused]));
}

export const isRefused = (declared: Declared | Refused): declared is Refused =>
  typeof declared.refused === "string";

/** Runs programs beside this process, as the engine does; one for all, as it takes seconds to start. */
let recorder: ChildProcess | undefined;
let asked: Promise<unknown> = Promise.resolve();

function record(runs: Run[]): Promise<(Declared | Refused)[]> {
  const answer = asked.then(() => ask(runs));
  asked = answer.catch(() => {});
  return answer;
}

async function ask(runs: Run[]): Promise<(Declared | Refused)[]> {
  recorder ??= fork(join(__dirname, "record.ts"), {
    // Many runs leave much behind: a larger young generation takes a fifth of the time away.
    execArgv: ["--max-semi-space-size=64", "--require", "tsx/cjs"],
    // With somebody's kubeconfig, which no stack may take for its own.
    env: { ...process.env, ...environment, KUBECONFIG: "somebody's" },
  });
  const ended = new AbortController();
  const end = (status: number) =>
    ended.abort(new Error(`test/golden/record.ts ended with ${status}; its message stands above`));
  recorder.once("exit", end);
  recorder.channel?.ref();
  try {
    recorder.send(runs);
    const [answer] = await once(recorder, "message", { signal: ended.signal });
    return answer;
  } finally {
    recorder.off("exit", end);
    // It ends with this process, and doesn't hold it up.
    recorder.unref();
    recorder.channel?.unref();
  }
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
