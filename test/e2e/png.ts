/**
 * The text chunks of a PNG (PNG specification, 11.3.3), by keyword: `tEXt`, and `iTXt` without
 * compression.
 */
export function textChunks(png: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(png);
  const chunks: Record<string, string> = {};
  const signature = 8;
  for (let at = signature; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    const keyword = data.toString("latin1", 0, data.indexOf(0));
    if (type === "tEXt") chunks[keyword] = data.toString("latin1", keyword.length + 1);
    // Keyword, compression flag and method, language and translated keyword, each with its null.
    if (type === "iTXt") chunks[keyword] = data.toString("utf8", keyword.length + 5);
    at += length + 12;
  }
  return chunks;
}
