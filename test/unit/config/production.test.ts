import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../../config";
import { randomSecrets } from "../../../config/secrets";
import { repository } from "../../../local/paths";
import { fullKey, ownValues, project, secretValues, withValues } from "../../placeholders";

const committed = parse(readFileSync(join(repository, "Pulumi.prod.yaml"), "utf8")).config;

beforeEach(() =>
  pulumi.runtime.setMocks(
    { call: () => ({}), newResource: ({ name }) => ({ id: name, state: {} }) },
    project,
    "prod",
  ),
);

/** Keys that are wrong or missing, where the stack has these values beside the committed ones. */
function faults(values: Record<string, unknown>, secrets: string[]): string[] {
  const plain = Object.entries(withValues(committed, values)).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const hidden = secrets.map((name) => [fullKey(name), secretValues[name]]);
  pulumi.runtime.setAllConfig(Object.fromEntries([...plain, ...hidden]), secrets.map(fullKey));
  try {
    loadConfig();
  } catch (error) {
    const [, ...lines] = (error as Error).message.split("\n  - ");
    return lines.map((line) => line.split(" ")[0] as string).sort();
  }
  return [];
}

/** The five values, as keys of the configuration. */
const own = ["build.repository", "cloudflare.zoneId", "context", "endpoint", "podNetwork"];
// prod has no webhooks.
const made = Object.keys(randomSecrets).filter((key) => key !== "webhookSecret");
const given = ["alertWebhook", "cloudflareApiToken"];

test("prod lacks the five values that only its owner knows, and nothing else", () => {
  expect(faults({}, [...made, ...given])).toEqual(own);
  expect(faults(ownValues, [...made, ...given])).toEqual([]);
});

test.each(own)("prod can't do without %s", (key) => {
  const { [key.split(".")[0] as keyof typeof ownValues]: _, ...rest } = ownValues;
  expect(faults(rest, [...made, ...given])).toEqual([key]);
});

test("of prod's secrets two are somebody else's, and the others random", () => {
  expect(faults(ownValues, [])).toEqual([...made, ...given].sort());
});

test("an image by digest is set only to override the published one", () => {
  expect(JSON.stringify(committed)).not.toContain("images");
});
