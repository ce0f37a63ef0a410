import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Checksum, Download, Release } from "../../../local/toolchain/releases";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A host of releases on this machine: path → what it does. It answers HEAD / as any host does. */
export class ReleaseServer {
  /** GET requests, as "path" or "path from byte". */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(files: Record<string, Handler>) {
    this.#server = createServer((request, response) => {
      if (request.method === "HEAD") return response.end();
      const path = request.url ?? "";
      const from = rangeStart(request);
      this.asked.push(from === undefined ? path : `${path} from ${from}`);
      return (files[path] ?? status(404))(request, response);
    });
  }

  /** Serves until the test ends. */
  static async start(files: Record<string, Handler>): Promise<ReleaseServer> {
    const server = new ReleaseServer(files);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => server.stop());
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Of a test: it tries again at once, and waits longer than a busy machine may need. */
export const patience = { connectSeconds: 50, quietSeconds: 50, attempts: 3, pauseSeconds: 0.01 };

export const megabyte = 1e6;
export const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");
export const known = (content: Buffer): Checksum => ({ sha256: sha256(content), foundIn: [] });

/** A release's program that is no archive. */
export const program = randomBytes(megabyte);

export const theProgram = (
  host: { url: string },
  checksum: Checksum = known(program),
): Download => ({ url: `${host.url}/program`, checksum, megabytes: 1, contents: "program" });

export const release = (...downloads: Download[]): Release => ({
  name: "server",
  version: "v1",
  downloads: { [process.arch]: downloads },
});

const rangeStart = ({ headers }: IncomingMessage) =>
  headers.range === undefined ? undefined : Number(/^bytes=(\d+)-$/.exec(headers.range)?.[1]);

export const status =
  (code: number): Handler =>
  (_, response) =>
    response.writeHead(code).end();

export const redirect =
  (location: string): Handler =>
  (_, response) =>
    response.writeHead(302, { location }).end();

/** Whole, as a server does that knows no ranges. */
export const whole =
  (content: Buffer): Handler =>
  (_, response) =>
    response.writeHead(200, { "content-length": content.length }).end(content);

/** From where the request says. */
export const ranges =
  (content: Buffer): Handler =>
  (request, response) => {
    const from = rangeStart(request);
    if (from === undefined) return whole(content)(request, response);
    if (from >= content.length) return status(416)(request, response);
    const part = content.subarray(from);
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { "content-length": part.length, "content-range": range }).end(part);
  };

/** Half of it, then `then` with the connection. */
export const half =
  (content: Buffer, then: (response: ServerResponse) => void): Handler =>
  (_, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, content.length / 2), () => then(response));
  };

/** The first handler for the first request, and so on; the last one for all others. */
export const inTurn = (...handlers: [Handler, ...Handler[]]): Handler => {
  const rest = [...handlers];
  return (request, response) =>
    ((rest.length > 1 ? rest.shift() : rest[0]) as Handler)(request, response);
};
