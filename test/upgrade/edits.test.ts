import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { accepted, declareEach, isRefused } from "../golden/stacks";
import { fullKey } from "../placeholders";
import { edits } from "./edits";
import { effects, holdsData, type Stack } from "./replacement";

// Each key of the configuration is edited once, in stacks whose data is protected.

interface Edit {
  key: string;
  stack: string;
  before: Stack;
  /** What the program declares then; undefined: it refuses the edit. */
  after: Stack | undefined;
}

async function editEach(stack: string, file: string, only?: Set<string>): Promise<Edit[]> {
  const { config } = parse(readFileSync(join(__dirname, "../..", file), "utf8"));
  const given = (key: string) =>
    fullKey(key)
      .split(".")
      .reduce((inner, step) => inner?.[step], config);
  const chosen = Object.entries(edits(given)).filter(([key]) => only?.has(key) ?? true);
  const declared = await declareEach(
    stack,
    chosen.map(([, values]) => values),
  );
  return chosen.map(([key], at) => {
    const after = declared[at] as NonNullable<(typeof declared)[number]>;
    return { key, stack, before: accepted(stack), after: isRefused(after) ? undefined : after };
  });
}

const changesSomething = ({ before, after }: Edit) =>
  after !== undefined && JSON.stringify(sorted(before)) !== JSON.stringify(sorted(after));
const sorted = (stack: Stack) => Object.entries(stack).sort(([a], [b]) => (a < b ? -1 : 1));

let all: Edit[];

beforeAll(async () => {
  const prod = await editEach("prod", "Pulumi.prod.yaml");
  // What prod doesn't have, and what differs where AWS keeps the data.
  const elsewhere = prod
    .filter((edit) => !changesSomething(edit) || /^(aws|redis|postgres|backups)\./.test(edit.key))
    .map(({ key }) => key);
  const file = "test/golden/Pulumi.alternatives.yaml";
  all = [...prod, ...(await editEach("alternatives", file, new Set(elsewhere)))];
}, 300_000);

/** By stack and key, of the edits of which there are any. */
function names(of: (edit: Edit, found: ReturnType<typeof effects>) => string[]) {
  return Object.fromEntries(
    all.flatMap((edit) => {
      const { before, after } = edit;
      const found = after ? of(edit, effects(before, after)) : [];
      return found.length > 0 ? [[`${edit.stack}: ${edit.key}`, found.sort()]] : [];
    }),
  );
}

test("each edit changes one of the stacks", () => {
  const changed = new Set(all.filter(changesSomething).map(({ key }) => key));
  const keys = [...new Set(all.map(({ key }) => key))];
  expect(keys.filter((key) => !changed.has(key))).toEqual([]);
});

test("no edit replaces or deletes what holds data: the engine refuses those that would", () => {
  const unguarded = names(({ before, after }, { replaced, deleted }) => [
    ...replaced.filter(
      (name) => holds(before, name) && !(isKept(before, name) && isKept(after, name)),
    ),
    ...deleted.filter((name) => holds(before, name) && !isKept(before, name)),
  ]);
  expect(unguarded).toEqual({});
});

const holds = (stack: Stack, name: string) => holdsData(stack[name] as Stack[string]);
const isKept = (stack: Stack | undefined, name: string) => stack?.[name]?.protect === true;

test("these edits are refused as long as what holds data is protected", () => {
  const refused = names(({ before }, { replaced, deleted }) =>
    [...replaced, ...deleted].filter((name) => holds(before, name)),
  );
  const [models, monitoring] = ["models-volume", "monitoring-volume"];
  const alertmanager = "monitoring-alertmanager-volume";
  const [objectStore, postgres, redis] = ["object-store", "postgres", "redis"].map(
    (part) => `${part}-volume`,
  );
  expect(refused).toEqual({
    "prod: namespace": [
      models,
      alertmanager,
      monitoring,
      "namespace",
      objectStore,
      postgres,
      redis,
    ],
    "prod: models.accessMode": [models],
    "prod: models.storageClass": [models],
    "prod: redis.storageClass": [redis],
    "prod: postgres.storageClass": [postgres],
    "prod: objectStore.storageClass": [objectStore],
    "prod: monitoring.storageClass": [alertmanager, monitoring],
    // What another part is to hold from then on.
    "prod: models.image": [models],
    ...Object.fromEntries(
      [
        "images.cnpg",
        ...["operator", "operatorNamespace", "replicas"].map((key) => `postgres.${key}`),
      ].map((key) => [`prod: ${key}`, [postgres]]),
    ),
    "prod: redis.managed": [redis],
    "prod: postgres.managed": [postgres],
    "prod: objectStore.bucket": [objectStore],
    "prod: objectStore.managed": [objectStore],
    "prod: monitoring.alertmanager": [alertmanager],
    ...Object.fromEntries(
      ["operator", "operatorNamespace", "operatorLabels"].map((key) => [
        `prod: monitoring.${key}`,
        [alertmanager, monitoring],
      ]),
    ),
    "prod: backups.managed": ["backup-bucket-store"],
    "alternatives: redis.managed": ["redis-server"],
    "alternatives: postgres.managed": ["postgres-server"],
    "alternatives: backups.managed": ["backup-bucket-store"],
    "alternatives: aws.region": [
      "backup-bucket-store",
      "pictures-bucket-store",
      "postgres-server",
      "redis-server",
    ],
  });
});

test("whatever is edited, no volume goes but with its namespace, protected or not", () => {
  for (const stack of ["local", "prod", "alternatives"]) {
    const claims = Object.values(accepted(stack)).filter(
      ({ type }) => type === "kubernetes:core/v1:PersistentVolumeClaim",
    );
    expect(claims.map(({ retainOnDelete }) => retainOnDelete)).not.toContain(undefined);
  }
});

test("an edit replaces else what is made of configuration alone", () => {
  const kinds = names(({ key, before }, { replaced }) =>
    ["namespace", "aws.region"].includes(key)
      ? []
      : replaced
          .filter((name) => !holds(before, name))
          .map((name) => before[name]?.type as string)
          .filter((type) => !/:(Secret|ConfigMap|Job)$/.test(type)),
  );
  expect(kinds).toEqual({});
});
