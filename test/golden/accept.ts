import { accept, declare, examples, stacks } from "./stacks";

// `npm run golden`: takes what the programs declare now as what it shall declare.

async function main(): Promise<void> {
  for (const stack of [...stacks, ...examples]) accept(stack, await declare(stack));
  console.log("review with: git diff --stat test/golden && git diff test/golden");
}

void main();
