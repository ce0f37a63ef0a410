import { afterAll, beforeAll, expect, test } from "vitest";
import { secretValues, type Values } from "../placeholders";
import { RecordedStack } from "../recorder/stack";
import { edits } from "../upgrade/edits";
import { holdsData } from "../upgrade/replacement";

// A life of prod on the real engine, with providers that only remember what they were asked.

let stack: RecordedStack;

beforeAll(async () => {
  stack = await RecordedStack.create("as configured");
  await stack.mustRun(["up", "--yes", "--skip-preview"]);
});
afterAll(() => stack?.close());

const each = edits(() => undefined);

test("a destroy of what is protected is refused before anything is deleted", async () => {
  const { status, output } = await stack.run(["destroy", "--yes"]);
  expect(status).not.toBe(0);
  expect(output).toMatch(/postgres-volume" cannot be deleted/);
  expect(stack.recorder.deleted).toEqual([]);
});

/** Of the edits that test/upgrade/edits.test.ts says are refused one of each kind, and the engine's words. */
const refused: [string, Values, RegExp][] = [
  ["another namespace", { namespace: "another" }, /unable to replace resource .*namespace"/],
  [
    "another class",
    each["postgres.storageClass"] as Values,
    /unable to replace .*postgres-volume"/,
  ],
  ["a store on AWS", each["redis.managed"] as Values, /redis-volume" cannot be deleted/],
  ["no bucket", { "backups.managed": false }, /backup-bucket-store" cannot be deleted/],
];

test.each(refused)("the preview refuses %s", async (_, values, said) => {
  const undo = stack.edit(values);
  const { status, output } = await stack.run(["up", "--yes"]);
  undo();
  expect(output).toMatch(said);
  expect(status).not.toBe(0);
  expect(stack.recorder.deleted).toEqual([]);
});

/**
 * Refused ones, and those that don't go with others: no Cloudflare, a revision of no repository, bounds
 * of a model that is another by then, a stack that isn't there, images beside their build, a second
 * word on who pods are, secrets that the stack's file has in plain text, a scaler that knows no schedules.
 */
const apart =
  /^(namespace|infrastructure|aws\.(region|oidcProviderArn|accessKeys)|api\.webhooks|workers\.(autoscaling\.by|contentCredentials)|.*\.(managed|storageClass)|images\.(api|worker|backup|cnpg)|postgres\.(operator.*|replicas)|objectStore\.bucket|models\.(accessMode|revision|image|sampling)|retention\.pictures|monitoring\.(alertmanager|operator.*)|cloudflare\.mode|nginx\.(serviceType|nodePort|serviceAnnotations|loadBalancerClass|proxyProtocol|trustedProxies|tls\..*))$/;

test("all other keys are edited in one update, which replaces and deletes nothing with data", async () => {
  const keys = Object.keys(each).filter((key) => !apart.test(key) && !(key in secretValues));
  for (const key of keys) stack.edit(each[key] as Values);
  await stack.mustRun(["up", "--yes"]);
  expect(stack.recorder.deleted.length).toBeGreaterThan(0);
  expect(stack.recorder.deleted.filter(holdsData)).toEqual([]);
});

test("the destroy, now unprotected, leaves the locked bucket, and volumes to their namespace", async () => {
  await stack.mustRun(["destroy", "--yes"]);
  const left = stack.recorder.made
    .filter(({ type }) => type !== "kubernetes:core/v1:PersistentVolumeClaim")
    .map(({ name }) => name);
  expect(left.filter((name) => !name.startsWith("backup-bucket-"))).toEqual([]);
  expect(left).toContain("backup-bucket-lock");
});
