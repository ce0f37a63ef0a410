import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, renameSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

// Stands in for a registry: OCI's distribution specification as far as one client pushes in pieces
// and nodes pull, without TLS, on a free port of 127.0.0.1, which it prints. Blobs and manifests
// lie in the directory that it is given, by digest, shared by all repositories.

const directory = process.argv[2] as string;
const mediaTypes = new Map<string, string>();
const tags = new Map<string, string>();

async function receive(request: IncomingMessage, file: string): Promise<string> {
  const hash = createHash("sha256");
  request.on("data", (chunk: Buffer) => hash.update(chunk));
  await pipeline(request, createWriteStream(file, { flags: "a" }));
  return `sha256:${hash.digest("hex")}`;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url as string, "http://registry");
  const [, name, kind, reference = ""] =
    /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/([^/]*)$/.exec(pathname) ?? [];
  if (pathname === "/v2/") return void response.writeHead(200).end();
  if (kind === "blobs/uploads") {
    const upload = reference || randomUUID();
    const file = join(directory, upload);
    await receive(request, file);
    const digest = searchParams.get("digest");
    if (request.method === "PUT" && digest) renameSync(file, join(directory, digest));
    const size = digest ? 0 : statSync(file).size;
    const headers = { Location: `/v2/${name}/blobs/uploads/${upload}`, Range: `0-${size - 1}` };
    return void response.writeHead(request.method === "PUT" ? 201 : 202, headers).end();
  }
  if (kind === "manifests" && request.method === "PUT") {
    const file = join(directory, randomUUID());
    const digest = await receive(request, file);
    renameSync(file, join(directory, digest));
    mediaTypes.set(digest, request.headers["content-type"] as string);
    tags.set(`${name}:${reference}`, digest);
    return void response.writeHead(201, { "Docker-Content-Digest": digest }).end();
  }
  const digest = tags.get(`${name}:${reference}`) ?? reference;
  const file = join(directory, digest);
  if (!kind || !existsSync(file)) return void response.writeHead(404).end();
  response.writeHead(200, {
    "Content-Type": mediaTypes.get(digest) ?? "application/octet-stream",
    "Content-Length": statSync(file).size,
    "Docker-Content-Digest": digest,
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(file), response);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => response.destroy(error));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
