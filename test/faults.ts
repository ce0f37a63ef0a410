import { spawnSync } from "node:child_process";
import { pythonSetup, service } from "./python";

// `npm run test:faults`: kills, stops and cuts off parts of the service, then looks for what was lost.

const { status } = spawnSync(
  "sh",
  [
    "-euc",
    `${pythonSetup}; exec .venv/bin/python -m tests.faults "$@"`,
    "faults",
    ...process.argv.slice(2),
  ],
  { cwd: service, stdio: "inherit" },
);
process.exitCode = status ?? 1;
