import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
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
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { downloadFolder, downloadRelease } from "../../../local/toolchain/download";
import type { Download } from "../../../local/toolchain/releases";
import {
  half,
  inTurn,
  known,
  megabyte,
  patience,
  program,
  ReleaseServer,
  ranges,
  release,
  sha256,
  theProgram,
  whole,
} from "./releaseServer";

/** A release's archive with the programs `server` and `client` and a file nobody asked for. */
let archive: Buffer;
let scratch: string;
let directory: string;

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
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const theArchive = (server: ReleaseServer): Download => ({
  url: `${server.url}/server.tar.gz`,
  checksum: known(archive),
  megabytes: 1,
  contents: { server: "v1/bin/server", client: "v1/bin/client" },
});

const kept = () => join(downloadFolder(directory), "program");
const expectTheProgram = () =>
  expect(sha256(readFileSync(join(directory, "program")))).toBe(sha256(program));

test("a release's programs, and nothing else, lie in its directory, to be run by anybody", async () => {
  const server = await ReleaseServer.start({
    "/server.tar.gz": whole(archive),
    "/program": whole(program),
  });
  const parts = release(theArchive(server), theProgram(server));
  expect(await downloadRelease(parts, directory, { patience })).toEqual({ downloaded: true });
  expect(readdirSync(scratch)).toEqual(["release"]);
  expect(readdirSync(directory).sort()).toEqual(["client", "program", "server"]);
  for (const name of readdirSync(directory)) {
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o755);
  }
});

test("on another system than Linux nothing is downloaded that could not run there", async () => {
  const server = await ReleaseServer.start({ "/program": whole(program) });
  const { platform } = process;
  Object.defineProperty(process, "platform", { value: "darwin" });
  try {
    const outcome = await downloadRelease(release(theProgram(server)), directory, { patience });
    expect(outcome.downloaded).toBe(false);
    expect(existsSync(directory)).toBe(false);
  } finally {
    Object.defineProperty(process, "platform", { value: platform });
  }
});

test("progress ends with all bytes of all files", async () => {
  const server = await ReleaseServer.start({
    "/server.tar.gz": whole(archive),
    "/program": whole(program),
  });
  const seen: number[][] = [];
  await downloadRelease(release(theArchive(server), theProgram(server)), directory, {
    patience,
    onProgress: (bytes, total) => seen.push([bytes, total]),
  });
  expect(seen.at(-1)).toEqual([archive.length + program.length, 2 * megabyte]);
});

test("an aborted download leaves no directory, rejects with the reason, and goes on the next time", async () => {
  const server = await ReleaseServer.start({
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

test("one file's wrong bytes end the others' transfers", async () => {
  const server = await ReleaseServer.start({
    "/program": whole(randomBytes(megabyte)),
    "/server.tar.gz": half(archive, () => {}),
  });
  const both = release(theProgram(server), theArchive(server));
  const download = downloadRelease(both, directory, { patience });
  await expect(download).rejects.toThrow("is not what its project released");
  expect(existsSync(directory)).toBe(false);
});

test("a release that is not there is built, without another try", async () => {
  const server = await ReleaseServer.start({});
  expect(await downloadRelease(release(theProgram(server)), directory, { patience })).toEqual({
    downloaded: false,
    reason: `${server.url}/program: HTTP 404`,
  });
  expect(server.asked).toHaveLength(1);
  expect(readdirSync(scratch)).toEqual([]);
});

test("a server that falls silent is given up, and what came is kept", async () => {
  const server = await ReleaseServer.start({ "/program": half(program, () => {}) });
  const hasty = { ...patience, quietSeconds: 1, attempts: 2 };
  expect(
    await downloadRelease(release(theProgram(server)), directory, { patience: hasty }),
  ).toEqual({ downloaded: false, reason: `${new URL(server.url).host}: nothing heard for 1 s` });
  expect(server.asked).toHaveLength(hasty.attempts);
  expect(statSync(kept()).size).toBeGreaterThan(0);
});

test("a host where nothing listens is not asked twice", async () => {
  const server = await ReleaseServer.start({});
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
  const hasty = { ...patience, connectSeconds: 1 };
  const outcomes = await Promise.all(
    ["a", "b"].map((name) => downloadRelease(wanted, join(scratch, name), { patience: hasty })),
  );
  outcomes.push(await downloadRelease(wanted, directory, { patience }));
  silent.close();
  expect(outcomes).toEqual(
    Array(3).fill({ downloaded: false, reason: `127.0.0.1:${port}: nothing heard for 1 s` }),
  );
  expect(connections).toBe(1);
});

test("an archive without the program is an error, and there is no directory of the rest", async () => {
  const server = await ReleaseServer.start({ "/server.tar.gz": whole(archive) });
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
