import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../local/paths";

// `npm run backups`, by a kubectl that answers as PostgreSQL's pod would.

const info = JSON.stringify([
  {
    name: "main",
    backup: [
      {
        label: "20261126-115950F",
        type: "full",
        timestamp: { start: 1795694390, stop: 1795694400 },
        info: { size: 30_000_000, repository: { delta: 4_000_000 } },
        error: false,
      },
    ],
  },
]);
const dumps = `{"2026-11-26T020000Z-7b5fd2de.dump": {"size": 3220},
  "2026-11-26T020000Z-7b5fd2de.dump.json": {"size": 300}}`.replace("\n", "");
const manifest = `{"started": "2026-11-26T02:00:00Z", "ended": "2026-11-26T02:01:00Z", "holds":
  {"dump": "2026-11-26T020000Z-7b5fd2de.dump", "size": 3220, "sha256": "0dc1", "postgres": 18,
  "schema": "0015", "rows": {"tasks": 500}}}`.replaceAll("\n", "");
const kubectl = `#!/bin/sh
case "$*" in
  *"--repo1-path=/database"*) printf '%s\\n' '${dumps}' '${manifest}' ;;
  *"pgbackrest --output=json info"*) echo '${info}' ;;
  *pg_stat_archiver*) echo "2026-11-26 13:00:00+00" ;;
  *restore_drills*) echo "2026-11-22 06:03:00+00, within 8 s, without the last 3 s" ;;
  *"from backups"*) echo ;;
  *) exit 1 ;;
esac
`;

test("it lists base backups, nightly dumps, what has been archived, and when a restore was proven last", () => {
  const programs = mkdtempSync(join(tmpdir(), "image-service-kubectl-"));
  try {
    writeFileSync(join(programs, "kubectl"), kubectl, { mode: 0o755 });
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", "tsx/cjs", "recovery/backups.ts", "--stack", "local"],
      {
        cwd: repository,
        encoding: "utf8",
        env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
      },
    );
    expect(stdout, stderr).toMatch(
      /^20261126-115950F +full +2026-11-26T12:00:00.000Z +30.0 MB +4.0 MB$/m,
    );
    expect(stdout).toMatch(/^2026-11-26T020000Z-7b5fd2de.dump +3.2 kB +500 +18 +0015 +whole$/m);
    expect(stdout).toContain("archived last: 2026-11-26 13:00:00+00\n");
    expect(stdout).toContain("restored for practice last: 2026-11-22 06:03:00+00, within 8 s");
    expect(stdout).toContain("dumped last: never\n");
  } finally {
    rmSync(programs, { recursive: true });
  }
});
