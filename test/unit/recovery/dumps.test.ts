import { expect, test } from "vitest";
import { parseDumps } from "../../../recovery/dumps";

const now = new Date("2026-11-27T12:00:00Z");
const manifest = (dump: string, size: number) =>
  `{"started": "2026-11-27T02:00:00Z", "ended": "2026-11-27T02:01:00Z", "holds":{"dump": "${dump}", "size": ${size}, "sha256": "0dc1", "postgres": 18, "schema": "0015", "rows": {"tasks": 500}}}`;

test("a dump is whole by its manifest, or by the checksum of an older release, and else it is told why not", () => {
  const [whole, cut, halfManifest, alone, old, future] = [
    "2026-11-26T020000Z-7b5fd2de.dump",
    "2026-11-25T020000Z-7b5fd2de.dump",
    "2026-11-24T020000Z-7b5fd2de.dump",
    "2026-11-23T020000Z-7b5fd2de.dump",
    "2026-11-22T020000Z.dump",
    "2026-11-28T020000Z-7b5fd2de.dump",
  ] as const;
  const files = Object.fromEntries([
    [".", { type: "path" }],
    ...[whole, cut, halfManifest, alone, old, future].map((name) => [name, { size: 100 }]),
    ...[whole, cut, halfManifest, future].map((name) => [`${name}.json`, { size: 200 }]),
    [`${old}.sha256`, { size: 80 }],
  ]);
  const told = [
    JSON.stringify(files),
    manifest(whole, 100),
    manifest(cut, 120),
    manifest(halfManifest, 100).slice(0, 120),
    manifest(future, 100),
  ].join("\n");
  const dumps = parseDumps(told, now);
  expect(dumps.map(({ name, state }) => [name, state])).toEqual([
    [old, "whole; of an older release"],
    [alone, "unfinished"],
    [halfManifest, "unfinished"],
    [cut, "damaged: it had 120 bytes"],
    [whole, "whole"],
    [future, "later than now: a clock was wrong"],
  ]);
  expect(dumps.at(-2)?.manifest?.holds).toMatchObject({ rows: { tasks: 500 }, schema: "0015" });
});
