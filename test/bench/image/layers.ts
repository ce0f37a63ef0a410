import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** Sizes of one layer, as a tar stream. */
export interface Layer {
  unpackedBytes: number;
  /** With gzip, as registries keep it. */
  compressedBytes: number;
}

interface Descriptor {
  digest: string;
  size: number;
}

/** The layers of an image in an OCI layout's directory, compressed with gzip, the base first. */
export async function measureLayers(layout: string): Promise<Layer[]> {
  const file = ({ digest }: Descriptor) => join(layout, "blobs", digest.replace(":", "/"));
  const read = <T>(path: string) => JSON.parse(readFileSync(path, "utf8")) as T;
  const index = read<{ manifests: [Descriptor] }>(join(layout, "index.json"));
  const manifest = read<{ layers: Descriptor[] }>(file(index.manifests[0]));
  return Promise.all(
    manifest.layers.map(async (layer) => ({
      unpackedBytes: await unpackedBytes(file(layer)),
      compressedBytes: layer.size,
    })),
  );
}

async function unpackedBytes(file: string): Promise<number> {
  let bytes = 0;
  await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) bytes += chunk.length;
  });
  return bytes;
}
