import { existsSync, readFileSync } from "node:fs";

/** A file that a test runner wrote about its tests. */
export interface Report {
  runner: "vitest" | "junit";
  file: string;
}

export interface Count {
  passed: number;
  failed: number;
}

interface Test {
  name: string;
  seconds: number;
  outcome: "passed" | "failed" | "skipped";
}

/**
 * What a step counts for: its tests where there is a report, else itself.
 * @param succeeded whether its command did
 */
export function count(report: Report | undefined, succeeded: boolean): Count {
  const tests = read(report);
  if (tests.length === 0) return { passed: +succeeded, failed: +!succeeded };
  const passed = tests.filter(({ outcome }) => outcome === "passed").length;
  const failed = tests.filter(({ outcome }) => outcome === "failed").length;
  // A runner may fail outside any test: while it collects, or in a hook.
  return { passed, failed: succeeded || failed > 0 ? failed : 1 };
}

/** The slowest tests of all reports, the slowest first. */
export const slowest = (reports: (Report | undefined)[], most: number): Test[] =>
  reports
    .flatMap(read)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, most);

function read(report: Report | undefined): Test[] {
  if (!report || !existsSync(report.file)) return [];
  const text = readFileSync(report.file, "utf8");
  return report.runner === "vitest" ? readVitest(text) : readJunit(text);
}

interface VitestReport {
  testResults: {
    assertionResults: { fullName: string; duration?: number; status: string }[];
  }[];
}

function readVitest(text: string): Test[] {
  const { testResults } = JSON.parse(text) as VitestReport;
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ fullName, duration = 0, status }) => ({
      name: fullName,
      seconds: duration / 1_000,
      outcome: status === "passed" || status === "failed" ? status : "skipped",
    }));
}

function readJunit(text: string): Test[] {
  return [...text.matchAll(/<testcase ([^>]*?)(\/>|>(.*?)<\/testcase>)/gs)].map(
    ([, attributes = "", , content = ""]) => {
      const attribute = (name: string) =>
        new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
      return {
        name: `${attribute("classname")} ${attribute("name")}`,
        seconds: Number(attribute("time")),
        outcome: /<(failure|error)\b/.test(content)
          ? "failed"
          : content.includes("<skipped")
            ? "skipped"
            : "passed",
      };
    },
  );
}
