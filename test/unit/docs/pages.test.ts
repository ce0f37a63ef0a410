import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { schema } from "../../../config/schema";
import { secrets } from "../../../config/secrets";
import { schema as eksSchema } from "../../../examples/eks/config";
import { repository } from "../../../local/paths";

// What the pages say, held against what there is.

const pagesOf = (folder: string) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .map((file) => join(folder, file));
const pages = ["README.md", "CONTRIBUTING.md", ...pagesOf("docs"), ...pagesOf("examples")];
const read = (page: string) => readFileSync(join(repository, page), "utf8");
const blocksOf = (text: string) =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block as string);
const withoutBlocks = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, "");

/** As GitHub makes anchors of headings. */
const anchors = (text: string) =>
  [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

interface Shape {
  properties?: Record<string, Shape>;
  items?: Shape;
}

/** Every key and group of the configuration, like `api` and `api.replicas`. */
function keysOf({ properties = {} }: Shape, prefix = ""): string[] {
  return Object.entries(properties).flatMap(([name, inner]) => [
    `${prefix}${name}`,
    ...keysOf(inner, `${prefix}${name}.`),
  ]);
}

const keys = new Set([
  ...keysOf(z.toJSONSchema(schema, { io: "input" }) as Shape),
  ...Object.keys(secrets),
]);
const groups = new Set([...keys].map((key) => key.split(".")[0]));

/** Those of examples that are programs of their own. */
const keysOfExamples: Record<string, string[]> = {
  "examples/eks": keysOf(z.toJSONSchema(eksSchema, { io: "input" }) as Shape),
  "examples/consumer": Object.keys(parse(read("examples/consumer/Pulumi.yaml")).config),
};

/** Other things with a dot in their names, whose first part is a group's name as well. */
const noKeys = /\.(conf|ts|md|json|yml|yaml)$/;

describe.each(pages)("%s", (page) => {
  const text = read(page);

  test("links to files and headings that there are", () => {
    const links = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
    const broken = links.filter((link = "") => {
      if (/^https?:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const file = path ? join(repository, dirname(page), path) : join(repository, page);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchors(readFileSync(file, "utf8")).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("has commands that a shell can read", () => {
    for (const block of blocksOf(text)) {
      const { status, stderr } = spawnSync("bash", ["-n", "-c", block], { encoding: "utf8" });
      expect(status, `${block}\n${stderr}`).toBe(0);
    }
  });

  test("names scripts that package.json has", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:--silent\s+)?(?!-)([\w:-]+)/g)].map(
      ([, name]) => name,
    );
    expect(named.filter((name = "") => !(name in scripts))).toEqual([]);
  });

  test("names keys that the configuration has", () => {
    const quoted = [...withoutBlocks(text).matchAll(/`([a-zA-Z]\w*(?:\.\w+)+)(?: [^`]*)?`/g)]
      .map(([, key = ""]) => key)
      .filter((key) => groups.has(key.split(".")[0]) && !noKeys.test(key));
    expect(quoted.filter((key) => !keys.has(key))).toEqual([]);
    for (const block of blocksOf(text)) {
      const example = /^cd (examples\/\w+)/.exec(block)?.[1] ?? dirname(page);
      const known = new Set([...keys, ...(keysOfExamples[example] ?? [])]);
      const set = [
        ...block.matchAll(/pulumi config (?:set|rm)(?: --[\w-]+)* '?([a-z]\w*(?:\.\w+)*)/g),
      ].map(([, key = ""]) => key);
      expect(set.filter((key) => !known.has(key))).toEqual([]);
    }
  });
});

/** The steps under a heading of the second level: title and text. */
function stepsOf(page: string, part: string): [string, string][] {
  const [, section = ""] = read(page).split(`\n## ${part}\n`);
  const [own = ""] = section.split(/\n## /);
  return own
    .split("\n### ")
    .slice(1)
    .map((step) => [step.split("\n")[0] as string, step]);
}

const steps = ["On AWS", "On premises"].flatMap((part) =>
  stepsOf("docs/production.md", part).map(([title, step]): [string, string, string] => [
    part,
    title,
    step,
  ]),
);

test("the steps of the walk are numbered", () => {
  for (const part of ["On AWS", "On premises"]) {
    const numbers = stepsOf("docs/production.md", part).map(([title]) =>
      Number.parseInt(title, 10),
    );
    expect(numbers.length).toBeGreaterThan(2);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
});

test.each(steps)(
  "%s, %s: has a command, its time, and how to see that it worked",
  (_, __, step) => {
    expect(blocksOf(step)).not.toEqual([]);
    const [, row = ""] = /\| takes \| worked if \|\n\| --- \| --- \|\n(.+)/.exec(step) ?? [];
    const [, takes = "", worked = ""] = row.split("|");
    expect(takes).toMatch(/\((measured|estimated)/);
    expect(worked.trim()).not.toBe("");
  },
);

test("kind takes twelve commands at most, from nothing to a picture", () => {
  const [, walk = ""] = read("docs/clusters.md").split("\n## kind, from nothing\n");
  const [section = ""] = walk.split(/\n## /);
  const commands = blocksOf(section)
    .join("")
    .split(/\n|&&/)
    .filter((line) => line.trim());
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.length).toBeLessThanOrEqual(12);
});

test("a page of reference is linked from the walk", () => {
  const walk = read("docs/production.md");
  for (const page of pagesOf("docs/reference")) {
    expect(statSync(join(repository, page)).size).toBeGreaterThan(0);
    expect(walk).toContain(page.replace("docs/", "("));
  }
});
