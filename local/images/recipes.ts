import { join } from "node:path";
import { repository } from "../paths";
import type { Cost } from "../steps";
import type { Program } from "../toolchain/builds";

/** How one image is built. */
export interface Recipe {
  name: string;
  /** Directory of the build; all its files count for the cache key. */
  context: string;
  file: "Containerfile" | "Dockerfile";
  /** A Debian suite, or another recipe. */
  base: BaseName | "official-postgres" | "postgres" | "api" | undefined;
  /** Stage of a multi-stage file. */
  target?: string;
  /** Programs of the toolchain that are copied in. */
  programs?: readonly Program[];
  cost: Cost;
}

/**
 * Debian suites the images start from. bookworm equals production's `debian:bookworm-slim`;
 * sid has the servers in the versions that production runs.
 */
export type BaseName = "bookworm" | "sid";

const here = <Name extends string>(name: Name) => ({
  name,
  context: join(__dirname, name),
  file: "Containerfile" as const,
  cost: { seconds: 20, cpuSeconds: 14 },
});
const service = <Name extends string>(target: Name) => ({
  name: target,
  context: join(repository, "docker/service"),
  file: "Dockerfile" as const,
  base: "bookworm" as const,
  target,
});

const onPostgres = <Name extends string>(name: Name) => ({
  name,
  context: join(repository, "docker", name),
  file: "Dockerfile" as const,
  base: "official-postgres" as const,
  cost: { seconds: 30, cpuSeconds: 20 },
});

/** Every image that the local cluster and the local stack run. */
export const recipes = [
  { ...here("pause"), base: undefined, cost: { seconds: 1, cpuSeconds: 1 } },
  { ...here("addons"), base: "bookworm", programs: ["coredns", "local-path-provisioner"] },
  { ...here("nginx"), base: "sid" },
  { ...here("redis"), base: "sid" },
  { ...here("official-postgres"), base: "sid" },
  { ...here("prometheus"), base: "sid" },
  { ...here("logs"), base: "bookworm", programs: ["victoria-logs", "vlagent"] },
  { ...here("object-store"), base: "bookworm", programs: ["versitygw"] },
  onPostgres("postgres"),
  onPostgres("backup"),
  { ...service("api"), cost: { seconds: 60, cpuSeconds: 45 } },
  { ...service("worker"), cost: { seconds: 200, cpuSeconds: 170 } },
] as const satisfies Recipe[];

/** What `npm run local -- --autoscale` runs besides. */
export const kedaRecipe: Recipe = {
  ...here("keda"),
  base: undefined,
  programs: ["keda", "keda-adapter"],
  cost: { seconds: 4, cpuSeconds: 4 },
};

/** What CloudNativePG runs, and has its pods run, for `npm run test:failover`. */
export const cloudNativePgRecipe: Recipe = {
  ...here("cloudnative-pg"),
  base: "bookworm",
  programs: ["cloudnative-pg"],
};
export const operatedPostgresRecipe: Recipe = {
  ...here("cnpg-postgres"),
  base: "official-postgres",
};

export type ImageName = (typeof recipes)[number]["name"];
