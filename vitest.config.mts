import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const minute = 60_000;
const project = (
  name: string,
  timeout: number,
  rest: TestProjectInlineConfiguration["test"] = {},
) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeout,
    hookTimeout: timeout,
    ...rest,
  },
});
const globalSetup = "test/environment.ts";

export default defineConfig({
  test: {
    projects: [
      // Files share a process, and so what they import: half of the time goes without it.
      project("unit", minute, { globalSetup, isolate: false }),
      project("hostile", 5 * minute),
      project("vendors", 5 * minute, { globalSetup, fileParallelism: false }),
      project("upgrade", 5 * minute, { globalSetup }),
      project("plugin", 5 * minute, { globalSetup }),
      project("images", 10 * minute),
      project("repair", 20 * minute),
      project("e2e", 20 * minute, { fileParallelism: false }),
      project("autoscale", 20 * minute),
      project("failover", 20 * minute),
    ],
  },
});
