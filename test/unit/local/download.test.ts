import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { UserError } from "../../../local/errors";
import { downloadFolder, downloadRelease } from "../../../local/toolchain/download";
import type { Checksum, Download, Release } from "../../../local/toolchain/releases";
import {
  type Handler,
  half,
  inTurn,
  ReleaseServer,
  ranges,
  redirect,
  status,
  whole,
} from "./releaseServer";

const patience = { connectSeconds: 10, quietSeconds: 10, attempts: 3, pauseSeconds: 0.01 };
const megabyte = 1e6;

/** A release's archive with the programs `server` and `client` and a file nobody asked for. */
let archive: Buffer;
/** A release's program that is no archive. */
const program = randomBytes(megabyte);
let scratch: string;
let directory: string;
let servers: ReleaseServer[];

beforeAll(() => {
  const content = mkdtempSync(join(tmpdir(), "image-service-release-"));
  mkdirSync(join(content, "v1/bin"), { recursive: true });
  for (const name of ["bin/server", "bin/client", "README"]) {
    writeFileSync(join(content, "v1", name), randomBytes(megabyte / 4), { mode: 0o600 });
  }
  archive = execFileSync("tar", ["-czC", content, "v1"], { maxBuffer: 2 * megabyte });
  rmSync(content, { recursive: true });
});

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "image-service-download-"));
  directory = join(scratch, "release");
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.stop();
  rmSync(scratch, { recursive: true });
});

async function serve(files: Record<string, Handler>): Promise<ReleaseServer> {
  const server = await ReleaseServer.start(files);
  servers.push(server);
  return server;
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");
const known = (content: Buffer): Checksum => ({ sha256: sha256(content), foundIn: [] });
const release = (...downloads: Download[]): Release => ({
  name: "server",
  version: "v1",
  downloads: { [process.arch]: downloads },
});
type Host = Pick<ReleaseServer, "url">;
const theArchive = (server: Host, checksum: Checksum = known(archive)): Download => ({
  url: `${server.url}/server.tar.gz`,
  checksum,
  megabytes: 1,
  contents: { server: "v1/bin/server", client: "v1/bin/client" },
});
const theProgram = (server: Host, checksum: Checksum = known(program)): Download => ({
  url: `${server.url}/program`,
  checksum,
  megabytes: 1,
  contents: "program",
});

const kept = () => join(downloadFolder(directory), "program");
function keep(content: Buffer) {
  mkdirSync(downloadFolder(directory));
  writeFileSync(kept(), content);
}
const expectTheProgram = () =>
  expect(sha256(readFileSync(join(directory, "program")))).toBe(sha256(program));

test("a release's programs, and nothing else, lie in its directory, to be run by anybody", async () => {
  const server = await serve({ "/server.tar.gz": whole(archive), "/program": whole(program) });
  const parts = release(theArchive(server), theProgram(server));
  expect(await downloadRelease(parts, directory, { patience })).toEqual({ downloaded: true });
  expect(readdirSync(scratch)).toEqual(["release"]);
  expect(readdirSync(directory).sort()).toEqual(["client", "program", "server"]);
  for (const name of readdirSync(directory)) {
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o755);
  }
});

test("progress ends with all bytes of all files", async () => {
  const server = await serve({ "/server.tar.gz": whole(archive), "/program": whole(program) });
  const seen: number[][] = [];
  await downloadRelease(release(theArchive(server), theProgram(server)), directory, {
    patience,
    onProgress: (bytes, total) => seen.push([bytes, total]),
  });
  expect(seen.at(-1)).toEqual([archive.length + program.length, 2 * megabyte]);
});

test("a transfer that breaks off goes on from where it was", async () => {
  const server = await serve({
    "/program": inTurn(
      half(program, (response) => response.destroy()),
      ranges(program),
    ),
  });
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked).toEqual(["/program", expect.stringMatching(/^\/program from [1-9]\d*$/)]);
  expectTheProgram();
});

test("an aborted download leaves no directory, rejects with the reason, and goes on the next time", async () => {
  const server = await serve({
    "/program": inTurn(
      half(program, () => {}),
      ranges(program),
    ),
  });
  const interrupt = new AbortController();
  const download = downloadRelease(release(theProgram(server)), directory, {
    patience,
    signal: interrupt.signal,
    onProgress: (bytes) => bytes >= program.length / 2 && interrupt.abort(new Error("Ctrl-C")),
  });
  await expect(download).rejects.toThrow("Ctrl-C");
  expect(existsSync(directory)).toBe(false);
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked[1]).toMatch(/^\/program from [1-9]\d*$/);
  expectTheProgram();
});

test("what is here whole is not asked for again", async () => {
  const server = await serve({ "/program": whole(program) });
  keep(program);
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked).toEqual([]);
  expectTheProgram();
});

test("a server that knows no ranges sends the file once more", async () => {
  const server = await serve({ "/program": whole(program) });
  keep(program.subarray(0, 1_000));
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked).toEqual(["/program from 1000"]);
  expectTheProgram();
});

test.each([
  ["of another file", randomBytes(1_000)],
  ["longer than the file", randomBytes(megabyte + 1)],
])("a kept part %s is forgotten", async (_, content) => {
  const server = await serve({ "/program": ranges(program) });
  keep(content);
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked).toEqual([`/program from ${content.length}`, "/program"]);
  expectTheProgram();
});

test("other bytes than the release's are refused with both checksums, and nothing of them is left", async () => {
  const other = randomBytes(megabyte);
  const server = await serve({ "/program": whole(other) });
  const download = downloadRelease(release(theProgram(server)), directory, { patience });
  await expect(download).rejects.toThrow(UserError);
  for (const named of [`${server.url}/program`, sha256(program), sha256(other)]) {
    await expect(download).rejects.toThrow(named);
  }
  expect(server.asked).toHaveLength(1);
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(kept())).toBe(false);
});

test("a server that lies and breaks off each time is given up", async () => {
  const other = randomBytes(megabyte);
  const server = await serve({
    "/program": (request, response) =>
      request.headers.range === undefined
        ? half(other, () => response.destroy())(request, response)
        : ranges(other)(request, response),
  });
  const download = downloadRelease(release(theProgram(server)), directory, { patience });
  await expect(download).rejects.toThrow(sha256(other));
  expect(server.asked).toHaveLength(4);
});

test("one file's wrong bytes end the others' transfers", async () => {
  const server = await serve({
    "/program": whole(randomBytes(megabyte)),
    "/server.tar.gz": half(archive, () => {}),
  });
  const both = release(theProgram(server), theArchive(server));
  const download = downloadRelease(both, directory, { patience });
  await expect(download).rejects.toThrow("is not what its project released");
  expect(existsSync(directory)).toBe(false);
});

test("far more bytes than the release has are not waited for", async () => {
  const server = await serve({
    "/program": (_, response) => {
      const more = () => response.write(program, () => response.writable && more());
      more();
    },
  });
  const download = downloadRelease(release(theProgram(server)), directory, { patience });
  await expect(download).rejects.toThrow("more than 2 MB");
  expect(existsSync(kept())).toBe(false);
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
  const right = await serve(files(sha256(program)));
  const sums = (server: ReleaseServer) => ({ sha256From: `${server.url}/sums` });
  await downloadRelease(release(theProgram(right, sums(right))), directory, { patience });
  expectTheProgram();
  const wrong = await serve(files(sha256(archive)));
  await expect(
    downloadRelease(release(theProgram(wrong, sums(wrong))), directory, { patience }),
  ).rejects.toThrow(sha256(archive));
});

test("a checksum file without the file, like a page of HTML, is refused before anything else is fetched", async () => {
  const server = await serve({
    "/program": whole(program),
    "/sums": whole(Buffer.from("<html>Welcome to our hotel's network</html>")),
  });
  const download = theProgram(server, { sha256From: `${server.url}/sums` });
  await expect(downloadRelease(release(download), directory, { patience })).rejects.toThrow(
    /sums is not what its project released\n.*a sha256 for program\n.*Welcome/,
  );
  expect(server.asked).toEqual(["/sums"]);
});

test("the file is asked for as it lies there, not packed for the way", async () => {
  const server = await serve({
    "/program": (request, response) => {
      if (!request.headers["accept-encoding"]?.includes("gzip"))
        return ranges(program)(request, response);
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(program));
    },
  });
  keep(program.subarray(0, 1_000));
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(server.asked).toEqual(["/program from 1000"]);
  expectTheProgram();
});

test("a release that is not there is built, without another try", async () => {
  const server = await serve({});
  expect(await downloadRelease(release(theProgram(server)), directory, { patience })).toEqual({
    downloaded: false,
    reason: `${server.url}/program: HTTP 404`,
  });
  expect(server.asked).toHaveLength(1);
  expect(readdirSync(scratch)).toEqual([]);
});

test("a server that is overloaded is asked again, and given up after some tries", async () => {
  const server = await serve({
    "/server.tar.gz": inTurn(status(503), status(429), whole(archive)),
    "/program": status(503),
  });
  const first = await downloadRelease(release(theArchive(server)), directory, { patience });
  expect(first).toEqual({ downloaded: true });
  const second = await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(second).toMatchObject({ downloaded: false, reason: expect.stringContaining("HTTP 503") });
  expect(server.asked.filter((path) => path === "/program")).toHaveLength(patience.attempts);
});

test("a server that falls silent is given up, and what came is kept", async () => {
  const server = await serve({ "/program": half(program, () => {}) });
  const hasty = { ...patience, quietSeconds: 0.2 };
  expect(
    await downloadRelease(release(theProgram(server)), directory, { patience: hasty }),
  ).toEqual({ downloaded: false, reason: `${new URL(server.url).host}: nothing heard for 0.2 s` });
  expect(server.asked).toHaveLength(patience.attempts);
  expect(statSync(kept()).size).toBeGreaterThan(0);
});

test("a slow server is waited for as long as something comes", async () => {
  const server = await serve({
    "/program": async (_, response) => {
      for (let part = 0; part < 10; part++) {
        response.write(program.subarray((part * megabyte) / 10, ((part + 1) * megabyte) / 10));
        await sleep(120);
      }
      response.end();
    },
  });
  const hasty = { ...patience, quietSeconds: 1 };
  await downloadRelease(release(theProgram(server)), directory, { patience: hasty });
  expect(server.asked).toEqual(["/program"]);
  expectTheProgram();
});

test("a redirect to another host is followed, also for the rest of a file", async () => {
  const host = await serve({
    "/file": inTurn(
      half(program, (response) => response.destroy()),
      ranges(program),
    ),
  });
  const server = await serve({ "/program": redirect(`${host.url}/file`) });
  await downloadRelease(release(theProgram(server)), directory, { patience });
  expect(host.asked).toEqual(["/file", expect.stringMatching(/^\/file from [1-9]\d*$/)]);
  expectTheProgram();
});

test("a host where nothing listens is not asked twice", async () => {
  const server = await serve({});
  const download = theProgram({ url: server.url });
  server.stop();
  expect(await downloadRelease(release(download), directory, { patience })).toMatchObject({
    downloaded: false,
    reason: expect.stringContaining("ECONNREFUSED"),
  });
  expect(readdirSync(scratch)).toEqual([]);
});

test("a host that accepts and says nothing is waited for once, whatever is wanted from it", async () => {
  let connections = 0;
  const silent = createServer(() => connections++);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const wanted = release(theProgram({ url: `http://127.0.0.1:${port}` }));
  const hasty = { ...patience, connectSeconds: 0.2 };
  const outcomes = await Promise.all(
    ["a", "b"].map((name) => downloadRelease(wanted, join(scratch, name), { patience: hasty })),
  );
  outcomes.push(await downloadRelease(wanted, directory, { patience }));
  silent.close();
  expect(outcomes).toEqual(
    Array(3).fill({ downloaded: false, reason: `127.0.0.1:${port}: nothing heard for 0.2 s` }),
  );
  expect(connections).toBe(1);
});

test("an archive without the program is an error, and there is no directory of the rest", async () => {
  const server = await serve({ "/server.tar.gz": whole(archive) });
  const download = { ...theArchive(server), contents: { daemon: "v1/bin/daemon" } };
  await expect(downloadRelease(release(download), directory, { patience })).rejects.toThrow(
    "v1/bin/daemon: Not found in archive",
  );
  expect(existsSync(directory)).toBe(false);
});

test("a processor that the project builds nothing for gets its programs built here", async () => {
  const nothing = { name: "server", version: "v1", downloads: {} };
  expect(await downloadRelease(nothing, directory)).toMatchObject({ downloaded: false });
});
