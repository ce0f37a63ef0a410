import { spawn } from "node:child_process";
import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";

/** Sizes of one layer, as a tar stream. */
export interface Layer {
  unpackedBytes: number;
  /** With gzip, as registries keep it. */
  compressedBytes: number;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The layers of an oci-archive, the base first. */
export async function measureLayers(archive: string): Promise<Layer[]> {
  const index = await readJson<{ manifests: [Descriptor] }>(archive, "index.json");
  const manifest = await readJson<{ layers: Descriptor[] }>(archive, blob(index.manifests[0]));
  const layers: Layer[] = [];
  for (const descriptor of manifest.layers) layers.push(await measure(archive, descriptor));
  return layers;
}

const blob = ({ digest }: Descriptor) => `blobs/${digest.replace(":", "/")}`;

async function measure(archive: string, descriptor: Descriptor): Promise<Layer> {
  const content = extract(archive, blob(descriptor));
  if (!descriptor.mediaType.endsWith("gzip")) {
    const compressedBytes = await count(content, createGzip());
    return { unpackedBytes: descriptor.size, compressedBytes };
  }
  return {
    unpackedBytes: await count(content, createGunzip()),
    compressedBytes: descriptor.size,
  };
}

function extract(archive: string, path: string): Readable {
  const { stdout } = spawn("tar", ["-xOf", archive, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return stdout;
}

async function count(content: Readable, transform: Transform): Promise<number> {
  let bytes = 0;
  await pipeline(content, transform, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) bytes += chunk.length;
  });
  return bytes;
}

async function readJson<T>(archive: string, path: string): Promise<T> {
  let text = "";
  for await (const chunk of extract(archive, path)) text += chunk;
  return JSON.parse(text) as T;
}
