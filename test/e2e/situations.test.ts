import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { repository, state } from "../../local/paths";
import { known } from "../../local/processes";
import { attempt } from "../../local/run";
import { openStack } from "./cluster";

// What an operator meets when something is wrong: one message that says what and how to mend it.

const cli = ["local/bootstrap.cjs", "local/cli.ts"];
const local = (...args: string[]) => attempt("node", [...cli, ...args], { cwd: repository });

test("--help names every command", async () => {
  const { status, stdout } = await local("--help");
  expect(status).toBe(0);
  for (const command of ["status", "down", "reset"]) expect(stdout).toContain(`-- ${command}`);
});

test("an unknown command is refused with the known ones", async () => {
  const { status, output } = await local("upp");
  expect(status).toBe(1);
  expect(output).toMatch(
    /unknown command: upp\nfix: .*one of: up, status, logs, alerts, down, reset/,
  );
});

test("a user without root is told to use it", async () => {
  const { status, output } = await attempt("unshare", ["--user", "node", ...cli], {
    cwd: repository,
  });
  expect(status).toBe(1);
  expect(output).toMatch(/needs root \(this is uid 65534\)\nfix: .*sudo npm run local/);
});

test("a second run beside a first is refused with the first one's pid", async () => {
  const lock = join(state, "lock");
  writeFileSync(lock, JSON.stringify(known(process.pid)));
  try {
    const { status, output } = await local();
    expect(status).toBe(1);
    expect(output).toContain(`another npm run local is at work (pid ${process.pid})`);
  } finally {
    rmSync(lock);
  }
});

test("a wrong configuration fails with every key before anything is made", async () => {
  const stack = await openStack("faulty", {
    namespace: "image-service-faulty",
    workers: { replicas: "four" },
    nginx: { colour: "blue" },
  });
  try {
    const up = stack.up(() => {});
    await expect(up).rejects.toThrow(/workers\.replicas.*"four"/s);
    await expect(up).rejects.toThrow(/nginx\.colour/);
    expect(await stack.resources()).toBe(0);
  } finally {
    stack.close();
  }
});

test("a stack that a living pulumi has locked is left alone; a dead one's lock is released", async () => {
  const stack = await openStack("locked", {
    namespace: "image-service-locked",
  });
  const locks = join(state, "pulumi/backend/.pulumi/locks/organization/image-service/locked");
  mkdirSync(locks, { recursive: true });
  // By its name it is one.
  const program = join(mkdtempSync(join(tmpdir(), "locked-")), "pulumi");
  copyFileSync("/usr/bin/sleep", program);
  const pulumi = spawn(program, ["600"]);
  try {
    writeFileSync(join(locks, "living.json"), JSON.stringify({ pid: pulumi.pid }));
    await expect(stack.destroy(() => {})).rejects.toThrow(
      `locked by another pulumi (pid ${pulumi.pid})`,
    );
    // Pids end at 2^22: this one is nobody's.
    writeFileSync(join(locks, "living.json"), JSON.stringify({ pid: 2 ** 22 + 1 }));
    await stack.destroy(() => {});
  } finally {
    pulumi.kill();
    rmSync(dirname(program), { recursive: true });
    stack.close();
  }
});

test("Ctrl-C while the stack is brought up ends cleanly, and the next run goes on to the picture", async () => {
  const picture = join(repository, "out/first.png");
  rmSync(picture, { force: true });
  // Else there would be nothing to bring up.
  rmSync(join(state, "pulumi/last-up"), { recursive: true });
  const first = spawn("node", cli, { cwd: repository, stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  first.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const ended = once(first, "exit");
  const pulumi = () => attempt("pgrep", ["--parent", String(first.pid), "--exact", "pulumi"]);
  await expect.poll(async () => (await pulumi()).status, { timeout: 300_000 }).toBe(0);
  first.kill("SIGINT");
  await ended;
  expect(output).toContain("interrupted; run npm run local again to go on from here");
  const second = await local();
  expect(second.output).toMatch(/picture: .*out\/first\.png$/m);
  expect(existsSync(picture)).toBe(true);
});
