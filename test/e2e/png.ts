import { inflateSync } from "node:zlib";

function* chunks(png: Uint8Array): Generator<{ type: string; data: Buffer }> {
  const bytes = Buffer.from(png);
  const signature = 8;
  for (let at = signature; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    yield { type, data: bytes.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

/**
 * The text chunks of a PNG (PNG specification, 11.3.3), by keyword: `tEXt`, and `iTXt` without
 * compression.
 */
export function textChunks(png: Uint8Array): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { type, data } of chunks(png)) {
    const keyword = data.toString("latin1", 0, data.indexOf(0));
    if (type === "tEXt") texts[keyword] = data.toString("latin1", keyword.length + 1);
    // Keyword, compression flag and method, language and translated keyword, each with its null.
    if (type === "iTXt") texts[keyword] = data.toString("utf8", keyword.length + 5);
  }
  return texts;
}

/** What a PNG shows, without what it says; packed. */
export const pixels = (png: Uint8Array): Buffer =>
  Buffer.concat([...chunks(png)].filter(({ type }) => type === "IDAT").map(({ data }) => data));

/** Its width and height. */
export function sizeOf(png: Uint8Array): [number, number] {
  const header = [...chunks(png)].find(({ type }) => type === "IHDR")?.data;
  return [header?.readUInt32BE(0) ?? 0, header?.readUInt32BE(4) ?? 0];
}

/** Red, green and blue of a pixel, 0 to 255; of RGB whose rows have the filter Sub, as the worker's. */
export function pixel(png: Uint8Array, x: number, y: number): number[] {
  const [width] = sizeOf(png);
  const row = inflateSync(pixels(png)).subarray(y * (1 + 3 * width), (y + 1) * (1 + 3 * width));
  if (row[0] !== 1) throw new Error(`the row has the filter ${row[0]}`);
  const differences = [...row.subarray(1, 4 + 3 * x)];
  // Each is the difference from the same colour of the pixel to its left (PNG specification, 9.2).
  return [0, 1, 2].map(
    (colour) => differences.filter((_, at) => at % 3 === colour).reduce((a, b) => a + b) % 256,
  );
}
