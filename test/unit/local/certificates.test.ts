import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

let state: string;
let pki: string;
let ensureCertificates: () => Promise<void>;

const contents = () =>
  Object.fromEntries(readdirSync(pki).map((name) => [name, readFileSync(join(pki, name), "utf8")]));

const certificate = (name: string) => new X509Certificate(readFileSync(join(pki, `${name}.crt`)));

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), "image-service-certificates-"));
  vi.stubEnv("IMAGE_SERVICE_STATE", state);
  vi.resetModules(); // paths are read once
  ({ pki } = await import("../../../local/paths.js"));
  ({ ensureCertificates } = await import("../../../local/cluster/certificates.js"));
  await ensureCertificates();
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true });
});

test("certificates that are there are kept", async () => {
  const before = contents();
  await ensureCertificates();
  expect(contents()).toEqual(before);
});

test("a cluster from before a part was added gets that part's certificate, and keeps the others", async () => {
  const before = contents();
  for (const name of ["router.key", "router.crt", "router.kubeconfig"]) rmSync(join(pki, name));
  await ensureCertificates();
  expect(certificate("router").verify(certificate("ca").publicKey)).toBe(true);
  expect(existsSync(join(pki, "router.kubeconfig"))).toBe(true);
  const { "router.key": _, "router.crt": __, "router.kubeconfig": ___, ...others } = before;
  expect(contents()).toMatchObject(others);
});

test("who the API server is to servers behind it is not what the cluster's own authority can say", () => {
  const client = certificate("front-proxy-client");
  expect(client.verify(certificate("front-proxy-ca").publicKey)).toBe(true);
  expect(client.verify(certificate("ca").publicKey)).toBe(false);
});
