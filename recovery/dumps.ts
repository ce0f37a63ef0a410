// The nightly dumps: what docker/backup leaves in the backup bucket's folder.

/** A line of bash for PostgreSQL's pod: what lies in the folder, then each manifest, on lines of their own. */
export const listDumps = `
  repository() { pgbackrest --repo1-path=/database "$@"; }
  files=$(repository --output=json repo-ls)
  echo "$files" | tr -d '\\n'
  for manifest in $(echo "$files" | grep -o '[^"]*\\.dump\\.json'); do
    echo
    repository --raw repo-get "$manifest" | tr -d '\\n'
  done`;

/** What a run writes last, by docker/backup/backup. */
interface Manifest {
  started: string;
  ended: string;
  holds: {
    dump: string;
    size: number;
    sha256: string;
    postgres: number;
    schema: string;
    rows: Record<string, number>;
  };
}

export interface Dump {
  name: string;
  /** As it lies in the bucket, in bytes. */
  size: number;
  /** Whether it is whole, in words; its bytes are compared by a restore and by the drill. */
  state: string;
  manifest?: Manifest;
}

/** @param told of `listDumps` @returns dumps, the oldest first */
export function parseDumps(told: string, now: Date): Dump[] {
  const [listing = "{}", ...lines] = told.trim().split("\n");
  const files = JSON.parse(listing) as Record<string, { size?: number }>;
  const manifests = new Map(
    lines.flatMap(parseManifest).map((manifest) => [manifest.holds.dump, manifest]),
  );
  // As docker/backup writes moments; clocks of nodes may be a minute apart.
  const soon = new Date(now.getTime() + 60_000).toISOString().replaceAll(":", "");
  return Object.entries(files)
    .filter(([name]) => name.endsWith(".dump"))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { size = 0 }]) => {
      const manifest = manifests.get(name);
      return { name, size, manifest, state: stateOf() };

      function stateOf(): string {
        if (name > soon) return "later than now: a clock was wrong";
        if (manifest) {
          return manifest.holds.size === size
            ? "whole"
            : `damaged: it had ${manifest.holds.size} bytes`;
        }
        return `${name}.sha256` in files ? "whole; of an older release" : "unfinished";
      }
    });
}

/** One that was cut off is none. */
function parseManifest(line: string): Manifest[] {
  try {
    return [JSON.parse(line) as Manifest];
  } catch {
    return [];
  }
}
