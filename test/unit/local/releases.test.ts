import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../local/paths";
import { programsOf, releases } from "../../../local/toolchain/releases";

const downloads = releases.flatMap((release) => Object.values(release.downloads).flat());

test.each([
  ["pulumi", "github.com/pulumi/pulumi/pkg/v3"],
  ["kubernetes", "k8s.io/kubernetes"],
  ["containerd", "github.com/containerd/containerd/v2"],
  ["coredns", "github.com/coredns/coredns"],
  ["versitygw", "github.com/versity/versitygw"],
])("%s is downloaded in the version that is built elsewhere", (name, goModule) => {
  const folder = join(repository, "local/toolchain");
  const required = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("go.mod"))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
    .filter((line) => line.trim().replace("require ", "").startsWith(`${goModule} `));
  const release = releases.find((release) => release.name === name);
  expect(required).toEqual([expect.stringContaining(` ${release?.version}`)]);
});

test("a release has the same programs for every processor", () => {
  for (const release of releases) {
    const [first, ...others] = Object.values(release.downloads).map(programsOf);
    expect(others.length).toBeGreaterThan(0);
    for (const programs of others) expect(programs).toEqual(first);
  }
});

test("a download is its own file of its version, by TLS from its project's host", () => {
  expect(new Set(downloads.map(({ url }) => url)).size).toBe(downloads.length);
  for (const release of releases) {
    for (const { url } of Object.values(release.downloads).flat()) {
      expect(url).toMatch(/^https:\/\/(github\.com|dl\.k8s\.io)\//);
      expect(url).toContain(`/${release.version}/`);
    }
  }
});

test("a checksum says where it was found, or lies beside its download", () => {
  for (const { url, checksum } of downloads) {
    if ("sha256" in checksum) {
      expect(checksum.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(checksum.foundIn).not.toEqual([]);
    } else {
      expect(checksum.sha256From).toMatch(/\.sha256(sum)?$/);
      expect(checksum.sha256From.replace(/\.sha256(sum)?$/, "")).toBe(url);
    }
  }
});
