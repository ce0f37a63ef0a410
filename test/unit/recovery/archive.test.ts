import { expect, test } from "vitest";
import { parseInfo, readable, startOf, timestamp } from "../../../recovery/archive";

/** As pgBackRest 2.60 prints it; a page of a database with a wrong checksum makes an `error`. */
const backup = (label: string, stop: number, error = false) => ({
  label,
  type: label.endsWith("F") ? "full" : "incr",
  timestamp: { start: stop - 10, stop },
  info: { size: 30_000_000, delta: 1, repository: { delta: 4_000_000 } },
  error,
});
const noon = Date.UTC(2026, 10, 26, 12) / 1000;
const info = JSON.stringify([
  {
    name: "main",
    backup: [
      backup("20261126-115950F", noon),
      backup("20261126-115950F_20261126-125950I", noon + 3600),
      backup("20261126-115950F_20261126-135950I", noon + 7200, true),
    ],
  },
]);

test("a moment is reached from the newest whole backup that ended before it", () => {
  const backups = parseInfo(info);
  const from = (hours: number) => startOf(backups, new Date((noon + hours * 3600) * 1000))?.label;
  expect(from(0)).toBeUndefined();
  expect(from(0.5)).toBe("20261126-115950F");
  expect(from(3)).toBe("20261126-115950F_20261126-125950I");
});

test("a moment is written as PostgreSQL reads it", () => {
  expect(timestamp(new Date("2026-11-26T14:00:00.900+02:00"))).toBe("2026-11-26 12:00:00+00");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [30_000_000, "30.0 MB"],
])("%i bytes are %s", (bytes, text) => expect(readable(bytes)).toBe(text));
