import { Progress } from "../local/progress";
import { interrupt } from "../local/run";
import { addCluster } from "../local/setup";
import { Steps } from "../local/steps";
import { testBuilds } from "../local/toolchain/builds";

// What `npm run local` sets up before its stack, and the tests' own tools: these cost seconds while
// Go's caches are there, and minutes later.

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

const steps = new Steps();
addCluster(steps, { more: testBuilds });
steps.run(new Progress()).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
