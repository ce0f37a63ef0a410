import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureImage } from "../../local/images";
import { type Recipe, recipes } from "../../local/images/recipes";
import { repository } from "../../local/paths";
import { run } from "../../local/run";
import { Database } from "../bench/restore/database";
import { service } from "../python";
import { GoldenPod } from "./pod";

// docs/runbook.md's steps to another major version of PostgreSQL and back, line by line.

/** The stack's, which has 18, with 15 beside it. */
const recipe: Recipe = {
  name: "postgres-majors",
  context: join(__dirname, "majors"),
  file: "Containerfile",
  base: "postgres",
  cost: { seconds: 15, cpuSeconds: 8 },
};
const old = {
  PATH: "/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

const database = new Database(recipe.name);
const bucketServer = `
  mkdir -p "/tmp/buckets/$S3_BUCKET" "/tmp/buckets/$BACKUP_BUCKET"
  ROOT_ACCESS_KEY="$RCLONE_CONFIG_BACKUP_ACCESS_KEY_ID" \\
    ROOT_SECRET_KEY="$RCLONE_CONFIG_BACKUP_SECRET_ACCESS_KEY" \\
    versitygw --quiet --region "$RCLONE_CONFIG_BACKUP_REGION" --port localhost:7070 \\
    posix /tmp/buckets >/dev/null &
  until (exec 3<>/dev/tcp/localhost/7070) 2>/dev/null; do sleep 0.1; done`;
/** Of Jobs `backup` and `restore`, with a server for their buckets, which ends with each. */
let jobs: GoldenPod;

beforeAll(async () => {
  // The stack's own may be another checkout's.
  const [base] = recipes.filter(({ name }) => name === recipe.base);
  for (const each of [base as Recipe, recipe]) await ensureImage(each, {}, () => {});
  const bare = new GoldenPod("local", "backups-backup");
  const settings = Object.entries(bare.environment).map(([name, value]) => `${name}='${value}'`);
  bare.close();
  jobs = new GoldenPod("local", "backups-backup", {
    programs: ["versitygw"],
    env: { DATABASE_URL: "postgresql://aigc@/aigc?host=/run/postgresql" },
    mounts: { "/run/postgresql": database.socket },
    beside: `${settings.join(" ")}; ${bucketServer}`,
  });
});

afterAll(async () => {
  jobs?.close();
  await database.close();
});

const [, section = ""] = readFileSync(join(repository, "docs/runbook.md"), "utf8").split(
  "\n## A major version of PostgreSQL\n",
);
const [, forth = "", back = ""] = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, block]) => block,
);

/** Follows a block of the runbook. @returns what `table-sums` said, each time */
async function follow(block: string): Promise<string[]> {
  const sums: string[] = [];
  for (const line of block.trim().split("\n")) {
    const [, program] = /^kubectl exec postgres-0 -- (.*)$/.exec(line) ?? [];
    const [, job] = /^kubectl create job --from=cronjob\/(\S+) \S+$/.exec(line) ?? [];
    if (program === "table-sums") sums.push(await database.tell(program));
    else if (program) await database.order(program);
    else if (job === "base-backup") await database.order(job);
    else if (job) {
      const { status, output } = await jobs.command([job]);
      expect(status, output).toBe(0);
    } else if (line.startsWith("pulumi config set --path images.postgres ")) {
      await database.end("INT");
      database.env = database.env === old ? {} : old;
      await database.start();
    } else {
      // Jobs have ended here, and have the newer programs.
      expect(line).toMatch(/^(kubectl wait |pulumi config set --path images.backup )/);
    }
  }
  return sums;
}

/** As the service does. @returns how many tasks were drawn */
async function tasks(action: "fill" | "draw"): Promise<string> {
  const program = [".venv/bin/python", "-m", "tests.majors", action, database.url];
  return (await run(program[0] as string, program.slice(1), { cwd: service })).trim();
}

/** Of sums: a backup is noted in the database that it copies. */
const withoutBackups = (sums = "") => sums.replace(/^backups\|.*$/m, "");
const version = async () => Number.parseInt(await database.sql("show server_version"), 10);

async function loseVolume(): Promise<void> {
  const before = await database.tell("table-sums");
  await database.end("INT");
  database.loseVolume();
  await database.start();
  expect(await database.tell("table-sums")).toBe(before);
}

test("the runbook's steps lead to another major version and back, with every row, and its archive goes along", async () => {
  database.env = old;
  await database.start();
  await tasks("fill");
  await database.order("base-backup --first");

  const [before, after] = await follow(forth);
  expect(before).toMatch(/^tasks\|500\|\d+$/m);
  expect(after).toBe(before);
  expect(await version()).toBe(18);
  expect(await tasks("draw")).toBe("drawn: 251");
  expect(database.files()).toEqual(["data", "data-15"]);

  const [asBefore] = await follow(back);
  expect(withoutBackups(asBefore)).toBe(withoutBackups(before));
  expect(await version()).toBe(15);
  expect(database.files()).toEqual(["data", "data-18"]);
  expect(await tasks("draw")).toBe("drawn: 251");
  await loseVolume();

  await database.order("mkdir /var/lib/postgresql/data-15");
  const [again, andAfter] = await follow(forth);
  expect(andAfter).toBe(again);
  const kept = ["data", "data-15", expect.stringMatching(/^data-15-before-/)];
  expect(database.files()).toEqual(kept);
  await loseVolume();
  expect(await version()).toBe(18);
  expect(await tasks("draw")).toBe("drawn: 1");
});

test("an image of another major version waits until somebody asks for it", async () => {
  const another = new Database(recipe.name);
  try {
    another.env = old;
    await another.start();
    await another.end("INT");
    another.env = {};
    let isUp = false;
    const starting = another.start().then(() => {
      isUp = true;
    });
    await pause(5_000);
    const waiting = { isUp, files: another.files() };
    another.write("major-version", "new");
    await starting;
    expect(waiting).toEqual({ isUp: false, files: ["data"] });
    expect(another.files()).toEqual(["data", "data-15"]);
  } finally {
    await another.close();
  }
});
