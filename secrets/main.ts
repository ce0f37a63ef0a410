import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { neededSecrets, type SecretKey, type Values } from "../config";
import { randomSecrets, secrets } from "../config/secrets";
import { UserError } from "../local/errors";
import { interrupt } from "../local/run";
import { readConfig, setSecrets } from "./stackConfig";
import { ask } from "./terminal";

const help = `npm run secrets -- STACK      makes the secrets that the configuration of STACK needs

Those that are set stay as they are. What nobody else has to know is made at random, what others
gave you (a token, a certificate) is asked for on the terminal: the value, or @FILE for what a file
holds. They go to pulumi on its standard input and stand encrypted in Pulumi.STACK.yaml: all of them
or, where you stop with Ctrl-C or something fails, none. None is printed.

Afterwards: pulumi config get apiSecret --stack STACK      the operator's key`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(help);
  const [stack, ...rest] = positionals;
  if (stack === undefined || rest.length > 0) {
    throw new UserError("one stack has to be named", "like this: npm run secrets -- prod");
  }
  const config = await readConfig(stack);
  const missing = needed(stack, config.values).filter((key) => !config.secrets.includes(key));
  const random = missing.filter((key) => isRandom(key, config.values));
  const asked = missing.filter((key) => !random.includes(key));
  if (asked.length > 0 && !process.stdin.isTTY) {
    throw new UserError(
      `this is no terminal, on which to ask for ${asked.join(", ")}`,
      `run it on one, or set each with: pulumi config set --secret KEY --stack ${stack}`,
    );
  }
  const made = new Map<SecretKey, string>();
  for (const key of random) made.set(key, randomBytes(randomSecrets[key] ?? 0).toString("hex"));
  for (const key of asked) made.set(key, await ask(`${key} (${secrets[key]}): `));
  await setSecrets(stack, made);
  for (const key of config.secrets) console.log(`${key}  was set`);
  for (const key of made.keys())
    console.log(`${key}  ${random.includes(key) ? "random" : "as given"}`);
}

function needed(stack: string, values: Values): SecretKey[] {
  const { needed, wrong } = neededSecrets(values);
  if (wrong.length === 0) return needed;
  throw new UserError(
    `which secrets ${stack} needs can't be told: ${wrong.join(", ")} in its configuration is wrong`,
    `pulumi preview --stack ${stack} says what is wrong, and mends it`,
  );
}

/** Keys of a bucket in AWS are made by AWS. */
function isRandom(key: SecretKey, { objectStore }: Values): boolean {
  const inAws = !!(objectStore as { bucket?: string } | undefined)?.bucket;
  return key in randomSecrets && !(inAws && key.startsWith("s3"));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

main().catch((error: Error) => {
  if (interrupt.signal.aborted) {
    console.error("\nstopped; no secret was set");
    process.exitCode = 130;
    return;
  }
  const { fix = "see npm run secrets -- --help" } = error as Partial<UserError>;
  console.error(`error: ${error.message}\nfix:   ${fix}`);
  process.exitCode = 1;
});
