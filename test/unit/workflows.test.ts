import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../../local/paths";
import { accepted, stacks } from "../golden/stacks";

interface Job {
  if?: string;
  needs?: string;
  environment?: string;
  permissions?: Record<string, string>;
  steps: { run?: string; with?: Record<string, number> }[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job & { "timeout-minutes": number }>;
}

const directory = join(repository, ".github/workflows");
const workflows = Object.fromEntries(
  readdirSync(directory).map((file) => [
    file.replace(".yml", ""),
    parse(readFileSync(join(directory, file), "utf8")) as Workflow,
  ]),
) as Record<"check" | "preview" | "up", Workflow>;
const jobsOf = ({ jobs }: Workflow) => Object.values(jobs);

/** Whether a job could get a credential of a cloud, or one of the repository's secrets. */
const privileged = (job: Job) =>
  "id-token" in (job.permissions ?? {}) || JSON.stringify(job).includes("secrets.");

const minutes = workflows.up.jobs.up?.["timeout-minutes"] as number;

/** The longest time that a resource gives itself, in minutes. */
const longest = ({ timeouts = {} }: { timeouts?: Record<string, string> }): number =>
  Math.max(
    0,
    ...Object.values(timeouts).map(
      (time) => Number.parseInt(time, 10) * (/h$/.test(time) ? 60 : 1),
    ),
  );

test.each(stacks)("an update of %s has the time that its resources give themselves", (stack) => {
  const declared = accepted(stack);
  /** Until a resource is there, with what it waits for. */
  const until = (name: string): number => {
    const { dependencies = [], ...own } = declared[name] ?? {};
    return longest(own) + Math.max(0, ...dependencies.map(until));
  };
  const afterEachOther = Math.max(...Object.keys(declared).map(until));
  expect(afterEachOther).toBeGreaterThan(0);
  expect(minutes).toBeGreaterThan(afterEachOther);
  // https://docs.github.com/en/actions/reference/limits
  expect(minutes).toBeLessThanOrEqual(360);
});

test("an update's session on AWS lasts as long as its job", () => {
  const steps = jobsOf(workflows.up).flatMap((job) => job.steps);
  const seconds = steps.flatMap((step) => step.with?.["role-duration-seconds"] ?? []);
  expect(seconds).toHaveLength(1);
  expect(seconds[0]).toBeGreaterThanOrEqual(minutes * 60);
});

test("no workflow runs a fork's code with this repository's credentials", () => {
  for (const { on, permissions } of Object.values(workflows)) {
    expect(on).not.toHaveProperty("pull_request_target");
    expect(on).not.toHaveProperty("workflow_run");
    expect(permissions).toEqual({});
  }
});

test("what can get a credential waits for the rules of an environment", () => {
  for (const job of Object.values(workflows).flatMap(jobsOf)) {
    if (privileged(job)) expect(job.environment).toBeDefined();
  }
});

describe("a pull request", () => {
  const fork = "github.event.pull_request.head.repo.full_name != github.repository";

  test("of a fork is checked, with nothing but the right to read", () => {
    expect(workflows.check.on).toHaveProperty("pull_request");
    const jobs = jobsOf(workflows.check);
    expect(jobs.some((job) => job.if?.includes(fork))).toBe(true);
    for (const job of jobs) expect(job.permissions).toEqual({ contents: "read" });
  });

  test("of a fork is told that it gets no preview", () => {
    const notices = jobsOf(workflows.preview).filter((job) => job.if === fork);
    expect(notices).toHaveLength(1);
    expect(notices[0]?.permissions).toEqual({});
    expect(notices[0]?.steps[0]?.run).toContain("::notice");
  });

  test("gets a preview of its code only once a reviewer is sure to be asked", () => {
    const { reviewer, preview } = workflows.preview.jobs;
    expect(reviewer?.if).toBe(fork.replace("!=", "=="));
    expect(preview?.needs).toBe("reviewer");
    expect(preview?.environment).toBe("preview");
    for (const job of jobsOf(workflows.preview)) expect(privileged(job)).toBe(job === preview);
  });
});

/** Rules as https://docs.github.com/en/rest/deployments/environments#get-an-environment shows them. */
const waiting = { id: 3736, type: "wait_timer", wait_timer: 30 };
const branches = { id: 3756, type: "branch_policy" };
const reviewed = {
  id: 3755,
  type: "required_reviewers",
  prevent_self_review: false,
  reviewers: [{ type: "User", reviewer: { login: "octocat" } }],
};

test.each<[string, object | undefined, number]>([
  ["with a reviewer", { name: "preview", protection_rules: [waiting, reviewed, branches] }, 0],
  ["without one", { name: "preview", protection_rules: [waiting, branches] }, 1],
  ["without rules", { name: "preview", protection_rules: [] }, 1],
  ["that there isn't", undefined, 1],
])(
  "a preview waits for a reviewer or is refused: an environment %s",
  async (_, environment, status) => {
    const asked: (string | undefined)[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push(url, headers.authorization);
      response.writeHead(environment ? 200 : 404).end(JSON.stringify(environment ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const script = workflows.preview.jobs.reviewer?.steps[0]?.run as string;
    // As GitHub runs a step that names no shell.
    const child = spawn("bash", ["-e", "-c", script], {
      env: {
        ...process.env,
        GH_TOKEN: "the-token",
        GITHUB_API_URL: `http://127.0.0.1:${port}`,
        GITHUB_REPOSITORY: "owner/name",
      },
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(status);
    server.close();
    expect(asked).toEqual(["/repos/owner/name/environments/preview", "Bearer the-token"]);
    expect(output.includes("::error title=No reviewer::")).toBe(status !== 0);
  },
);
