import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { type Answer, request, Unavailable } from "./http";
import type { Download } from "./releases";

export interface Patience {
  /** Wait for a host's first answer, then for each next byte. */
  connectSeconds: number;
  quietSeconds: number;
  /** Tries for a file, and the pause after the first, which doubles each time. */
  attempts: number;
  pauseSeconds: number;
}

export interface FetchOptions {
  patience: Patience;
  /** Bytes of the file that are here. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Brings the download's file to `path`, going on from what lies there.
 * @throws Unavailable when it can't be had, with what came left in place; UserError, with nothing
 *   left, when the server sends something else than the release
 */
export async function fetchFile(
  download: Download,
  path: string,
  options: FetchOptions,
): Promise<void> {
  const expected = await expectedSha256(download, options);
  for (const last of [false, true]) {
    const { sha256, inParts } = await trying(options, () =>
      receive(download, path, expected, options),
    );
    if (sha256 === expected) return;
    rmSync(path);
    // Parts of two different files, it may be: once more from the start.
    if (last || !inParts) throw wrongBytes(download.url, `sha256 ${expected}`, sha256);
  }
}

async function trying<Result>(
  { patience, signal }: FetchOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof Unavailable && error.passing && attempt < patience.attempts;
      if (!again) throw error;
      const pause = patience.pauseSeconds * 2 ** (attempt - 1);
      await sleep(pause * 1_000, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

async function receive(
  { url, megabytes }: Download,
  path: string,
  expected: string,
  { patience, onBytes, signal }: FetchOptions,
): Promise<{ sha256: string; inParts: boolean }> {
  let { hash, bytes } = await kept(path);
  let inParts = bytes > 0;
  onBytes?.(bytes);
  if (inParts && hash.copy().digest("hex") === expected) return { sha256: expected, inParts };

  const answer = await request(url, {
    headers: inParts ? { range: `bytes=${bytes}-` } : {},
    quietSeconds: patience.quietSeconds,
    signal,
  });
  const { status, headers } = answer.response;
  if (
    status === 416 ||
    (status === 206 && !headers.get("content-range")?.startsWith(`bytes ${bytes}-`))
  ) {
    await answer.discard();
    rmSync(path, { force: true });
    throw new Unavailable(`${url} is shorter than what was kept of it`, true);
  }
  await refuseErrors(url, answer);
  if (status !== 206) {
    inParts = false;
    hash = createHash("sha256");
    bytes = 0;
  }
  const limit = 2 * megabytes * 1e6;
  await pipeline(
    answer.body,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > limit) {
          throw wrongBytes(url, `about ${megabytes} MB`, `more than ${limit / 1e6} MB`);
        }
        hash.update(chunk);
        onBytes?.(bytes);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: inParts ? "a" : "w" }),
  ).catch((error) => {
    if (error instanceof UserError) rmSync(path, { force: true });
    throw error;
  });
  return { sha256: hash.digest("hex"), inParts };
}

async function kept(path: string): Promise<{ hash: Hash; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  if (existsSync(path)) {
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  }
  return { hash, bytes };
}

async function expectedSha256({ url, checksum }: Download, options: FetchOptions): Promise<string> {
  if ("sha256" in checksum) return checksum.sha256;
  const text = await trying(options, async () => {
    const { quietSeconds } = options.patience;
    const answer = await request(checksum.sha256From, { quietSeconds, signal: options.signal });
    await refuseErrors(checksum.sha256From, answer);
    let content = "";
    for await (const chunk of answer.body) {
      content += Buffer.from(chunk).toString("latin1");
      if (content.length > 1e6) break;
    }
    return content;
  });
  const sha256 = parseChecksums(text, basename(url));
  if (sha256 === undefined) {
    throw wrongBytes(
      checksum.sha256From,
      `a sha256 for ${basename(url)}`,
      JSON.stringify(text.slice(0, 80)),
    );
  }
  return sha256;
}

/** Of lines as sha256sum writes them, or of a file that is one checksum alone, as Kubernetes has. */
export function parseChecksums(text: string, file: string): string | undefined {
  if (/^[0-9a-f]{64}\s*$/.test(text)) return text.trim();
  const line = text
    .split("\n")
    .find((line) => /^[0-9a-f]{64} [ *]/.test(line) && line.slice(66).trim() === file);
  return line?.slice(0, 64);
}

async function refuseErrors(url: string, { response, discard }: Answer): Promise<void> {
  if (response.ok) return;
  await discard();
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  throw new Unavailable(`${url}: HTTP ${response.status}`, passing);
}

const wrongBytes = (url: string, expected: string, actual: string) =>
  new UserError(
    `${url} is not what its project released\n  expected: ${expected}\n  received: ${actual}`,
    "find out what changes downloads on this network (a proxy, a mirror); nothing of it was kept",
  );
