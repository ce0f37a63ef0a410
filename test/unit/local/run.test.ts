import { expect, test } from "vitest";
import { UserError } from "../../../local/errors";
import { attempt, run } from "../../../local/run";

test("a failed command's message names it, its exit status and its last words", async () => {
  const failure = run("sh", ["-c", "echo out of cheese >&2; exit 3"]);
  await expect(failure).rejects.toThrow(UserError);
  await expect(failure).rejects.toThrow(/sh .* failed \(exit 3\):\nout of cheese/s);
});

test("a program that is not there is reported, not thrown past", async () => {
  expect(await attempt("no-such-program", [])).toMatchObject({ status: 127 });
});

test("a command that hears nothing from the network is ended, and the message says so", async () => {
  const stalled = run("sh", ["-c", "echo fetching; sleep 60"], { quietSeconds: 1 });
  await expect(stalled).rejects.toThrow(/heard nothing from the network for 1 s:\nfetching/);
});

test("a command reads the given input", async () => {
  expect(await run("cat", [], { input: "hello" })).toBe("hello");
});
