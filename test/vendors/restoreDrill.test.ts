import { expect, test } from "vitest";
import { drilledDatabase, key, picture } from "./drilledDatabase";

// The drill's pod as the local stack declares it, beside a database with an archive.

const outcome = `psql --dbname="$DATABASE_URL" --tuples-only --no-align --command="
  select succeeded, lost_seconds > 0, restore_seconds >= 0, to_regclass('restore_drill_marks')
  from restore_drills"`;

async function run(copy: string, beside = ""): Promise<string> {
  const pod = drilledDatabase({ copy, beside });
  try {
    const script = `restore-drill || echo "ended with $?"; ${outcome}`;
    return (await pod.command(["bash", "--norc", "-c", script])).output;
  } finally {
    pod.close();
  }
}

test("a drill restores the database, compares it, and writes down what would have been lost", async () => {
  const said = await run(picture);
  expect(said).toContain("tasks: 1000 restored");
  expect(said).toContain("pictures: 1 compared");
  expect(said).not.toContain("ended with");
  expect(said).toMatch(/^t\|t\|t\|$/m);
});

test("a drill fails, and says so, where the copy of a picture is not the picture", async () => {
  const said = await run("another picture");
  expect(said).toContain(`the copy of ${key} is not the picture`);
  expect(said).toContain("ended with 1");
  expect(said).toMatch(/^f\|t\|t\|$/m);
});

/** Root's: another byte in the middle of a file of the archive, by its end. */
const flips = `
  flip() {
    file=$(find "$bucket/archive" -type f -path "*$1" | sort | tail -n 1)
    size=$(stat --format=%s "$file")
    byte=$(od --address-radix=n --format=u1 --skip-bytes=$((size / 2)) --read-bytes=1 "$file")
    printf "\\x$(printf %x $((byte ^ 1)))" |
      dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
  }`;

/** Each kind of object that an archive has. */
const kinds = [
  ...["archive.info", "archive.info.copy", "backup.info", "backup.info.copy"],
  ...["F/backup.manifest", "F/backup.manifest.copy", "F/bundle/1"],
  ...["I/backup.manifest", "I/backup.manifest.copy", "I/bundle/1"],
  ...["000000000000001-*", "F/pg_data/backup_label.zst"],
];

test("a flipped byte in any kind of object of the archive is found, of those that no restore reads, too", async () => {
  const pod = drilledDatabase({
    beside: `${flips}
    psql --quiet --host=localhost --username=aigc aigc --command="update tasks set images = null"
    as pgbackrest --type=incr backup
    while sleep 0.1; do
      [ ! -e /tmp/kind ] || { flip "$(cat /tmp/kind)" >/tmp/flip.log 2>&1; rm /tmp/kind; }
    done &`,
  });
  const script = `
    flip() { echo "$1" >/tmp/kind.new; mv /tmp/kind.new /tmp/kind; while [ -e /tmp/kind ]; do sleep 0.05; done; }
    verify-archive && echo "whole at first"
    for kind in ${kinds.map((kind) => `'${kind}'`).join(" ")}; do
      flip "$kind"
      verify-archive >/dev/null 2>&1 && echo "passed over: $kind" || echo "found: $kind"
      flip "$kind"
    done
    verify-archive && echo "whole at last"`;
  try {
    const { output } = await pod.command(["bash", "--norc", "-c", script]);
    for (const kind of kinds) expect(output).toContain(`found: ${kind}\n`);
    expect(output).toContain("whole at first");
    expect(output).toContain("whole at last");
  } finally {
    pod.close();
  }
});

test("a drill fails, and says so, where something else of the archive is damaged", async () => {
  const said = await run(picture, `${flips}\nflip archive.info.copy`);
  expect(said).toContain("the archive is damaged");
  expect(said).toMatch(/^f\|t\|t\|$/m);
});

test("a drill fails, and says so, where the newest dump is damaged", async () => {
  const said = await run(
    picture,
    `printf '#' | dd of="$(ls "$bucket"/database/*.dump)" bs=1 seek=2000 conv=notrunc`,
  );
  expect(said).toContain("the newest dump is damaged");
  expect(said).toMatch(/^f\|\|\|$/m);
});

test("a drill fails, and says so, where its volume is full", async () => {
  const said = await run(picture, "mount -t tmpfs -o size=20m,mode=777 tmpfs /scratch");
  // Of a write that only a part had room for, pgBackRest knows no more.
  expect(said).toMatch(/No space left on device|FileWriteError/);
  expect(said).toContain("ended with");
  expect(said).toMatch(/^f\|\|\|$/m);
});
