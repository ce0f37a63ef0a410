import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { images } from "../../config/groups/images";
import { published } from "../../docker/images";
import { repository } from "../../local/paths";

const read = (file: string) => readFileSync(join(repository, file), "utf8");
const file = "docker/images/Dockerfile";
const lines = read(file).split("\n");

/**
 * What Dependabot takes for an image in a Dockerfile, and how it writes the next one.
 * https://github.com/dependabot/dependabot-core/blob/v0.330.0/docker/lib/dependabot/docker/file_parser.rb
 */
const name = "[a-z\\d]+(?:(?:[._]|__|[-]*)[a-z\\d]+)*";
const dependabot = new RegExp(
  `^FROM\\s+(?:(?<registry>[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)+(?::\\d+)?)/)?(?<image>${name}(?:/${name})*)` +
    "(?::(?<tag>\\w[\\w.-]{0,127}))?(?:@(?<digest>\\S+))?(?:\\s+AS\\s+(?<name>[\\w-]+))?",
  "i",
);

describe.each(Object.entries(published))("the image %s", (stage, reference) => {
  const at = lines.findIndex((line) => line.endsWith(` AS ${stage}`));

  test("is one that Dependabot updates: by tag and digest", () => {
    const found = dependabot.exec(lines[at] ?? "")?.groups;
    expect(found?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(found?.tag).not.toBe("latest");
    expect(`${found?.registry}/${found?.image}:${found?.tag}@${found?.digest}`).toBe(reference);
  });

  test("says what it is", () => {
    expect(lines[at - 1]).toMatch(/^# \w/);
  });
});

test("Dependabot looks where the images stand", () => {
  const { updates } = parse(read(".github/dependabot.yml")) as {
    updates: { "package-ecosystem": string; directory: string }[];
  };
  const directories = updates
    .filter((update) => update["package-ecosystem"] === "docker")
    .map(({ directory }) => directory);
  expect(directories).toEqual(["/docker/images"]);
  expect(existsSync(join(repository, file))).toBe(true);
});

test("no image stands there that nothing runs or is built on", () => {
  const defaults = Object.values(images).map((image) => image.parse(undefined));
  const bases = [published.debian, published.postgres];
  expect(new Set([...defaults.filter(Boolean), ...bases])).toEqual(
    new Set(Object.values(published)),
  );
});

test("an image can be overridden, by digest alone", () => {
  const own = `registry.example/nginx@sha256:${"0".repeat(64)}`;
  expect(images.nginx.parse(own)).toBe(own);
  expect(images.nginx.safeParse("nginx:1.30").success).toBe(false);
});
