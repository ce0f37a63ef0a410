import { spawnSync } from "node:child_process";
import { pythonSetup, service, sideBySide } from "./python";

// `npm run check:python`: style, types, and the service's tests without the ones of whole models.

const commands = [
  pythonSetup,
  ".venv/bin/ruff check . ../../test/bench",
  ".venv/bin/ruff format --check . ../../test/bench",
  ".venv/bin/lint-imports --no-logo",
  ".venv/bin/mypy",
  `.venv/bin/pytest -m "not model" ${sideBySide.join(" ")}`,
];
const { status } = spawnSync("sh", ["-euc", commands.join("; ")], {
  cwd: service,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
