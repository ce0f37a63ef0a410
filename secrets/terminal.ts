import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UserError } from "../local/errors";
import { interrupt } from "../local/run";

/**
 * Asks on the terminal until it is answered, without showing what is typed.
 * @returns the answer, or what the file holds that it names with an @ before
 */
export async function ask(question: string): Promise<string> {
  const shown = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: shown, terminal: true });
  // The terminal hands Ctrl-C over as a key.
  terminal.on("SIGINT", () => interrupt.abort());
  try {
    for (;;) {
      process.stderr.write(question);
      const answer = (await terminal.question("", { signal: interrupt.signal })).trim();
      process.stderr.write("\n");
      if (answer.startsWith("-----BEGIN")) {
        // Its other lines wait to be taken for the next answers.
        throw new UserError("several lines can't be typed in", "give the file: @certificate.pem");
      }
      const value = answer.startsWith("@") ? fileContent(answer.slice(1)) : answer;
      if (value) return value;
      console.error(`nothing was given: a value, or @FILE`);
    }
  } finally {
    terminal.close();
  }
}

function fileContent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}
