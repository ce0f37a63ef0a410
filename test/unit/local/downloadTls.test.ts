import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../../local/paths";
import { known, patience, release } from "./releaseServer";

const program = Buffer.from("#!/bin/sh\necho released\n");
let scratch: string;
/** releases.test, with a certificate of its own making. */
let host: Server;
/** A proxy that reaches releases.test and nothing else. */
let proxy: Server;
const proxied: string[] = [];

const port = (server: Server) => (server.address() as AddressInfo).port;
const listen = (server: Server) =>
  new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "image-service-tls-"));
  const [key, certificate] = [join(scratch, "key.pem"), join(scratch, "certificate.pem")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-subj", "/CN=releases.test", "-addext", "subjectAltName=DNS:releases.test"],
      ...["-days", "1", "-keyout", key, "-out", certificate],
    ],
    { stdio: "ignore" },
  );
  host = createTlsServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (request, response) => {
      if (request.url === "/elsewhere") {
        response.writeHead(302, { location: `http://127.0.0.1:${port(proxy)}/program` });
      }
      response.end(program);
    },
  );
  proxy = createServer((_, response) => response.end(program));
  proxy.on("connect", (request, socket) => {
    proxied.push(request.url ?? "");
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    const onward = connect(port(host), "127.0.0.1");
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on("error", () => {});
  });
  await Promise.all([host, proxy].map(listen));
});

afterAll(() => {
  for (const server of [host, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(scratch, { recursive: true });
});

/** In a process of its own: Node reads proxies and trusted certificates as it starts. */
async function download(path: string, environment: Record<string, string>) {
  const wanted = release({
    url: `https://releases.test${path}`,
    checksum: known(program),
    megabytes: 1,
    contents: "program",
  });
  const script = `
    const { downloadRelease } = require("./local/toolchain/download");
    const [release, directory, options] = ${JSON.stringify([wanted, join(scratch, "release"), { patience }])};
    downloadRelease(release, directory, options)
      .then((outcome) => console.log(JSON.stringify(outcome)));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--require", "tsx/cjs", "--eval", script],
    {
      cwd: repository,
      env: {
        PATH: process.env.PATH,
        HTTPS_PROXY: `http://127.0.0.1:${port(proxy)}`,
        ...environment,
      },
    },
  );
  return JSON.parse(stdout);
}

const trusted = () => ({ NODE_EXTRA_CA_CERTS: join(scratch, "certificate.pem") });

test("HTTPS_PROXY is used, and finds the host's name itself", async () => {
  expect(await download("/program", trusted())).toEqual({ downloaded: true });
  expect(execFileSync(join(scratch, "release/program"), { encoding: "utf8" })).toBe("released\n");
  expect(new Set(proxied)).toEqual(new Set(["releases.test:443"]));
});

test("a certificate that nobody trusts means: build it", async () => {
  expect(await download("/program", {})).toEqual({
    downloaded: false,
    reason: expect.stringContaining("self-signed certificate"),
  });
});

test("a redirect from https to http is not followed to its end", async () => {
  expect(await download("/elsewhere", trusted())).toEqual({
    downloaded: false,
    reason: expect.stringContaining("which nothing protects"),
  });
});
