import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepted, stacks } from "../golden/stacks";
import { statefulPart } from "./stateful";

// `npx tsx test/upgrade/release.ts`, with each release: from now on stacks are upgraded from here.

for (const stack of stacks) {
  const file = join(__dirname, "released", `${stack}.json`);
  writeFileSync(file, `${JSON.stringify(statefulPart(accepted(stack)), null, 2)}\n`);
}
