import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "../../../local/errors";
import { fetchFile } from "../../../local/toolchain/fetchFile";
import {
  half,
  inTurn,
  megabyte,
  patience,
  program,
  ReleaseServer,
  ranges,
  redirect,
  sha256,
  status,
  theProgram,
  whole,
} from "./releaseServer";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "image-service-fetch-"));
  path = join(directory, "program");
});

afterEach(() => rmSync(directory, { recursive: true }));

const expectTheProgram = () => expect(sha256(readFileSync(path))).toBe(sha256(program));

test("a transfer that breaks off goes on from where it was", async () => {
  const server = await ReleaseServer.start({
    "/program": inTurn(
      half(program, (response) => response.destroy()),
      ranges(program),
    ),
  });
  await fetchFile(theProgram(server), path, { patience });
  expect(server.asked).toEqual(["/program", expect.stringMatching(/^\/program from [1-9]\d*$/)]);
  expectTheProgram();
});

test("what is here whole is not asked for again", async () => {
  const server = await ReleaseServer.start({ "/program": whole(program) });
  writeFileSync(path, program);
  await fetchFile(theProgram(server), path, { patience });
  expect(server.asked).toEqual([]);
  expectTheProgram();
});

test("a server that knows no ranges sends the file once more", async () => {
  const server = await ReleaseServer.start({ "/program": whole(program) });
  writeFileSync(path, program.subarray(0, 1_000));
  await fetchFile(theProgram(server), path, { patience });
  expect(server.asked).toEqual(["/program from 1000"]);
  expectTheProgram();
});

test.each([
  ["of another file", randomBytes(1_000)],
  ["longer than the file", randomBytes(megabyte + 1)],
])("a kept part %s is forgotten", async (_, content) => {
  const server = await ReleaseServer.start({ "/program": ranges(program) });
  writeFileSync(path, content);
  await fetchFile(theProgram(server), path, { patience });
  expect(server.asked).toEqual([`/program from ${content.length}`, "/program"]);
  expectTheProgram();
});

test("other bytes than the release's are refused with both checksums, and nothing of them is left", async () => {
  const other = randomBytes(megabyte);
  const server = await ReleaseServer.start({ "/program": whole(other) });
  const download = fetchFile(theProgram(server), path, { patience });
  await expect(download).rejects.toThrow(UserError);
  for (const named of [`${server.url}/program`, sha256(program), sha256(other)]) {
    await expect(download).rejects.toThrow(named);
  }
  expect(server.asked).toHaveLength(1);
  expect(existsSync(path)).toBe(false);
});

test("a server that lies and breaks off each time is given up", async () => {
  const other = randomBytes(megabyte);
  const server = await ReleaseServer.start({
    "/program": (request, response) =>
      request.headers.range === undefined
        ? half(other, () => response.destroy())(request, response)
        : ranges(other)(request, response),
  });
  const download = fetchFile(theProgram(server), path, { patience });
  await expect(download).rejects.toThrow(sha256(other));
  expect(server.asked).toHaveLength(4);
});

test("far more bytes than the release has are not waited for", async () => {
  const server = await ReleaseServer.start({
    "/program": (_, response) => {
      const more = () => response.write(program, () => response.writable && more());
      more();
    },
  });
  const download = fetchFile(theProgram(server), path, { patience });
  await expect(download).rejects.toThrow("more than 2 MB");
  expect(existsSync(path)).toBe(false);
});

test.each([
  ["lines of many files", (sum: string) => `${"0".repeat(64)}  other\n${sum}  program\n`],
  ["a line in binary mode", (sum: string) => `${sum} *program\n`],
  ["one checksum alone", (sum: string) => sum],
])("the release's own checksum file says what is right: %s", async (_, text) => {
  const files = (sum: string) => ({
    "/program": whole(program),
    "/sums": whole(Buffer.from(text(sum))),
  });
  const right = await ReleaseServer.start(files(sha256(program)));
  const sums = (server: ReleaseServer) => ({ sha256From: `${server.url}/sums` });
  await fetchFile(theProgram(right, sums(right)), path, { patience });
  expectTheProgram();
  const other = sha256(Buffer.from("other"));
  const wrong = await ReleaseServer.start(files(other));
  await expect(fetchFile(theProgram(wrong, sums(wrong)), path, { patience })).rejects.toThrow(
    other,
  );
});

test("a checksum file without the file, like a page of HTML, is refused before anything else is fetched", async () => {
  const server = await ReleaseServer.start({
    "/program": whole(program),
    "/sums": whole(Buffer.from("<html>Welcome to our hotel's network</html>")),
  });
  const download = theProgram(server, { sha256From: `${server.url}/sums` });
  await expect(fetchFile(download, path, { patience })).rejects.toThrow(
    /sums is not what its project released\n.*a sha256 for program\n.*Welcome/,
  );
  expect(server.asked).toEqual(["/sums"]);
});

test("the file is asked for as it lies there, not packed for the way", async () => {
  const server = await ReleaseServer.start({
    "/program": (request, response) =>
      request.headers["accept-encoding"] === "identity"
        ? whole(program)(request, response)
        : status(406)(request, response),
  });
  await fetchFile(theProgram(server), path, { patience });
  expectTheProgram();
});

test("a server that is overloaded is asked again, and given up after some tries", async () => {
  const busy = await ReleaseServer.start({
    "/program": inTurn(status(503), status(429), whole(program)),
  });
  await fetchFile(theProgram(busy), path, { patience });
  expectTheProgram();
  rmSync(path);
  const down = await ReleaseServer.start({ "/program": status(503) });
  await expect(fetchFile(theProgram(down), path, { patience })).rejects.toThrow("HTTP 503");
  expect(down.asked).toHaveLength(patience.attempts);
});

test("a slow server is waited for as long as something comes", async () => {
  const server = await ReleaseServer.start({
    "/program": async (_, response) => {
      for (let part = 0; part < 10; part++) {
        response.write(program.subarray((part * megabyte) / 10, ((part + 1) * megabyte) / 10));
        await sleep(120);
      }
      response.end();
    },
  });
  const hasty = { ...patience, quietSeconds: 1 };
  await fetchFile(theProgram(server), path, { patience: hasty });
  expectTheProgram();
});

test("a redirect to another host is followed, also for the rest of a file", async () => {
  const host = await ReleaseServer.start({
    "/file": inTurn(
      half(program, (response) => response.destroy()),
      ranges(program),
    ),
  });
  const server = await ReleaseServer.start({ "/program": redirect(`${host.url}/file`) });
  await fetchFile(theProgram(server), path, { patience });
  expect(host.asked).toEqual(["/file", expect.stringMatching(/^\/file from [1-9]\d*$/)]);
  expectTheProgram();
});
