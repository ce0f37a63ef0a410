import { accept, declare, stacks } from "./stacks";

// `npm run golden`: takes what the program declares now as what it shall declare.

async function main(): Promise<void> {
  for (const stack of stacks) accept(stack, await declare(stack));
  console.log("review with: git diff --stat test/golden && git diff test/golden");
}

void main();
