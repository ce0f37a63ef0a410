import { defineConfig } from "vitest/config";

const minute = 60_000;
const project = (name: string, include: string[], timeout: number, sequential = false) => ({
  test: {
    name,
    include,
    testTimeout: timeout,
    hookTimeout: timeout,
    fileParallelism: !sequential,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/unit/**/*.test.ts"], minute),
      project("vendors", ["test/vendors/**/*.test.ts"], 5 * minute, true),
      project("plugin", ["test/plugin/**/*.test.ts"], 5 * minute),
      project("e2e", ["test/e2e/**/*.test.ts"], 20 * minute, true),
    ],
  },
});
