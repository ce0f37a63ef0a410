import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

interface Manifest {
  mediaType: string;
  digest: string;
  annotations: Record<string, string>;
}

/**
 * Answers pulls of what lies in an OCI image layout, on a free port of the loopback.
 * Stands in for a registry: OCI's distribution specification without uploads, without TLS.
 */
export async function serveLayout(layout: string): Promise<{ port: number; close(): void }> {
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
  const manifests = index.manifests as Manifest[];
  const server = createServer((request, response) => {
    const [, kind, reference = ""] =
      /\/(manifests|blobs)\/(.+?)(?:\?|$)/.exec(request.url ?? "") ?? [];
    const manifest = manifests.find(
      ({ digest, annotations }) =>
        reference === digest || reference === annotations["org.opencontainers.image.ref.name"],
    );
    if (!kind || (kind === "manifests" && !manifest)) {
      response.writeHead(404).end();
      return;
    }
    const digest = manifest?.digest ?? reference;
    const file = join(layout, "blobs", digest.replace(":", "/"));
    response.writeHead(200, {
      "Content-Type": manifest?.mediaType ?? "application/octet-stream",
      "Content-Length": statSync(file).size,
      "Docker-Content-Digest": digest,
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
