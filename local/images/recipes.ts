import { join } from "node:path";
import { repository } from "../paths";
import type { Program } from "../toolchain/modules";

/** How one image is built. */
export interface Recipe {
  name: string;
  /** Directory of the build; all its files count for the cache key. */
  context: string;
  file: "Containerfile" | "Dockerfile";
  /** A Debian suite, or another recipe. */
  base: BaseName | "postgres" | undefined;
  /** Stage of a multi-stage file. */
  target?: string;
  /** Programs of the toolchain that are copied in. */
  programs?: readonly Program[];
  /** Seconds a build took on two cores, for the progress line. */
  expectedSeconds: number;
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
  expectedSeconds: 20,
});
const service = <Name extends string>(target: Name) => ({
  name: target,
  context: join(repository, "docker/service"),
  file: "Dockerfile" as const,
  base: "bookworm" as const,
  target,
});

/** Every image that the local cluster and the local stack run. */
export const recipes = [
  { ...here("pause"), base: undefined },
  { ...here("addons"), base: "bookworm", programs: ["coredns", "local-path-provisioner"] },
  { ...here("nginx"), base: "sid" },
  { ...here("redis"), base: "sid" },
  { ...here("postgres"), base: "sid" },
  { ...here("prometheus"), base: "sid" },
  { ...here("object-store"), base: "bookworm", programs: ["versitygw"] },
  {
    name: "backup",
    context: join(repository, "docker/backup"),
    file: "Dockerfile",
    base: "postgres",
    expectedSeconds: 30,
  },
  { ...service("api"), expectedSeconds: 60 },
  { ...service("worker"), expectedSeconds: 300 },
] as const satisfies Recipe[];

export type ImageName = (typeof recipes)[number]["name"];
