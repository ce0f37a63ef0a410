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
const kubectl = `#!/bin/sh
case "$*" in
  *"pgbackrest --output=json info"*) echo '${info}' ;;
  *pg_stat_archiver*) echo "2026-11-26 13:00:00+00" ;;
  *restore_drills*) echo "2026-11-22 06:03:00+00, within 8 s, without the last 3 s" ;;
  *"from backups"*) echo ;;
  *) exit 1 ;;
esac
`;

test("it lists base backups, what has been archived, and when a restore was proven last", () => {
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
    expect(stdout).toContain("archived last: 2026-11-26 13:00:00+00\n");
    expect(stdout).toContain("restored for practice last: 2026-11-22 06:03:00+00, within 8 s");
    expect(stdout).toContain("dumped last: never\n");
  } finally {
    rmSync(programs, { recursive: true });
  }
});
