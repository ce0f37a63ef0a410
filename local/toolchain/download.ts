import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../run";
import { fetchFile, type Patience } from "./fetchFile";
import { probe, Unavailable } from "./http";
import { type Download, programsOf, type Release } from "./releases";

export interface DownloadOptions {
  /** How much is here, and of about how much; called with every chunk. */
  onProgress?: (bytes: number, total: number) => void;
  /** When it aborts, what came stays for the next time, and the promise rejects with its reason. */
  signal?: AbortSignal;
  patience?: Patience;
}

/** A reason means: build it instead. */
export type Outcome = { downloaded: true } | { downloaded: false; reason: string };

const usualPatience: Patience = {
  connectSeconds: 5,
  quietSeconds: 30,
  attempts: 5,
  pauseSeconds: 1,
};

/** What lies beside the directory until all of its files are there. */
export const downloadFolder = (directory: string) => `${directory}.download`;

/**
 * Brings the release's programs for this processor into `directory`, which appears all at once.
 * @throws UserError when a server sends something else than what was released
 */
export async function downloadRelease(
  release: Release,
  directory: string,
  { onProgress, signal, patience = usualPatience }: DownloadOptions = {},
): Promise<Outcome> {
  const system = `${process.platform} on ${process.arch}`;
  const downloads = process.platform === "linux" ? release.downloads[process.arch] : undefined;
  if (downloads === undefined) {
    return { downloaded: false, reason: `${release.name}: none is listed for ${system}` };
  }
  const folder = downloadFolder(directory);
  const total = downloads.reduce((sum, { megabytes }) => sum + megabytes * 1e6, 0);
  const bytes = downloads.map(() => 0);
  try {
    for (const { url } of downloads) await probe(url, patience.connectSeconds);
    signal?.throwIfAborted();
    mkdirSync(folder, { recursive: true });
    await allOrNone(signal, (signal) =>
      downloads.map((download, index) =>
        fetchFile(download, fileOf(download, folder), {
          patience,
          signal,
          onBytes: (here) => {
            bytes[index] = here;
            onProgress?.(
              bytes.reduce((sum, some) => sum + some, 0),
              total,
            );
          },
        }),
      ),
    );
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    if (!error.passing) rmSync(folder, { recursive: true, force: true });
    return { downloaded: false, reason: error.message };
  }
  await unpack(downloads, folder, directory);
  return { downloaded: true };
}

const fileOf = ({ url }: Download, folder: string) => join(folder, basename(new URL(url).pathname));

/** Runs all at once; the first failure ends the others, and comes when they have ended. */
async function allOrNone(
  outer: AbortSignal | undefined,
  start: (signal: AbortSignal) => Promise<void>[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(outer === undefined ? [] : [outer])]);
  await Promise.allSettled(start(signal).map((work) => work.catch((error) => failed.abort(error))));
  signal.throwIfAborted();
}

async function unpack(downloads: readonly Download[], folder: string, directory: string) {
  const unpacked = join(folder, "unpacked");
  const ready = join(folder, "ready");
  for (const fresh of [unpacked, ready]) {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh);
  }
  for (const download of downloads) {
    const file = fileOf(download, folder);
    const { contents } = download;
    if (typeof contents === "string") {
      renameSync(file, join(ready, contents));
    } else {
      await run("tar", [
        ...["--extract", "--gzip", "--no-same-owner", "--file", file, "--directory", unpacked],
        ...Object.values(contents),
      ]);
      for (const [program, path] of Object.entries(contents)) {
        renameSync(join(unpacked, path), join(ready, program));
      }
    }
  }
  for (const program of programsOf(downloads)) chmodSync(join(ready, program), 0o755);
  rmSync(directory, { recursive: true, force: true });
  renameSync(ready, directory);
  rmSync(folder, { recursive: true, force: true });
}
