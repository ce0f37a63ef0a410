import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { repository } from "../../local/paths";
import type { RecordedStack } from "./stack";

const runtime = "localnode";

/**
 * The policy pack, for an engine whose language host can't start one: the engine then looks on the
 * PATH for `pulumi-analyzer-policy-RUNTIME`. Only the runtime's name differs from the real pack.
 * @returns the arguments and the environment of a preview that runs it
 */
export function policyPack(stack: RecordedStack) {
  const pack = join(stack.directory, "policy");
  const programs = join(stack.directory, "programs");
  for (const directory of [pack, programs]) mkdirSync(directory, { recursive: true });
  const source = join(repository, "policy");
  for (const file of ["index.ts", "resource.ts", "rules.ts", "package.json", "tsconfig.json"]) {
    copyFileSync(join(source, file), join(pack, file));
  }
  const project = readFileSync(join(source, "PulumiPolicy.yaml"), "utf8");
  writeFileSync(
    join(pack, "PulumiPolicy.yaml"),
    project.replace("runtime: nodejs", `runtime: ${runtime}`),
  );
  const analyzer = join(programs, `pulumi-analyzer-policy-${runtime}`);
  const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
  writeFileSync(analyzer, `#!/bin/sh\nexec "${process.execPath}" "${runner}" "$@"\n`);
  chmodSync(analyzer, 0o755);
  return {
    args: ["--policy-pack", pack],
    environment: { PATH: [programs, stack.path].join(delimiter) },
  };
}
