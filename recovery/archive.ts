// What pgBackRest tells of the archive: https://pgbackrest.org/command.html#command-info

/** A base backup. */
export interface BaseBackup {
  label: string;
  /** `full`, or what has changed since another. */
  type: string;
  startedAt: Date;
  endedAt: Date;
  /** Of the database, in bytes. */
  size: number;
  /** Of what it added to the archive, in bytes. */
  stored: number;
}

interface Info {
  backup: {
    label: string;
    type: string;
    timestamp: { start: number; stop: number };
    info: { size: number; repository: { delta: number } };
    error?: boolean;
  }[];
}

/** @param json of `pgbackrest --output=json info` @returns whole base backups, the oldest first */
export function parseInfo(json: string): BaseBackup[] {
  const date = (seconds: number) => new Date(seconds * 1000);
  return (JSON.parse(json) as Info[]).flatMap(({ backup }) =>
    backup
      .filter(({ error }) => !error)
      .map(({ label, type, timestamp, info }) => ({
        label,
        type,
        startedAt: date(timestamp.start),
        endedAt: date(timestamp.stop),
        size: info.size,
        stored: info.repository.delta,
      })),
  );
}

/** The base backup from which pgBackRest goes on to a moment; undefined: none is that old. */
export const startOf = (backups: BaseBackup[], moment: Date): BaseBackup | undefined =>
  backups.findLast(({ endedAt }) => endedAt < moment);

/** A moment as pgBackRest and PostgreSQL read it. */
export const timestamp = (moment: Date): string =>
  `${moment.toISOString().slice(0, 19).replace("T", " ")}+00`;

/** Bytes for people. */
export function readable(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power && 1)} ${units[power]}`;
}
