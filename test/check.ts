import { exec } from "node:child_process";

// `npm run check`: all that needs no cluster, side by side, each with its output in one piece.

const colour = process.stdout.isTTY && process.stdout.hasColors() ? { FORCE_COLOR: "1" } : {};

for (const script of ["types", "lint", "unit"]) {
  const started = performance.now();
  const options = { env: { ...process.env, ...colour }, maxBuffer: 64 << 20 };
  exec(`npm run --silent ${script} 2>&1`, options, (error, output) => {
    if (error) process.exitCode = 1;
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`${output}${script} ${error ? "failed" : "passed"} in ${seconds} s`);
  });
}
