import { createHash } from "node:crypto";
import { cpSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../errors";
import { cache } from "../paths";
import type { Report } from "../progress";
import { attempt, interrupt, run } from "../run";
import {
  autoscaleBuilds,
  type Build,
  benchBuilds,
  builds,
  failoverBuilds,
  type Program,
  testBuilds,
} from "./builds";
import { type Release, releases } from "./releases";

/** Go's own caches; they live until the whole set-up has ended. */
const goDirectory = join(cache, "go");
const goEnvironment = {
  CGO_ENABLED: "0",
  GOCACHE: join(goDirectory, "build"),
  GOMODCACHE: join(goDirectory, "mod"),
  GOFLAGS: "-modcacherw",
  // The compiler collects its garbage less often: a tenth of its time.
  GOGC: "400",
};

/** Where each program lies, by its name. */
export type Toolchain = Record<Program, string>;

/** Finds the programs of one build on the PATH or in the cache; undefined when one is missing. */
export async function findBuild(build: Build): Promise<Partial<Toolchain> | undefined> {
  const path = await onPath(build);
  const directories = path
    ? [path]
    : [cacheDirectory(build), ...releasesOf(build).map(releaseFolder)];
  const found = names(build).map((name) => [
    name,
    directories.map((directory) => join(directory, name)).find(existsSync),
  ]);
  return found.every(([, file]) => file) ? Object.fromEntries(found) : undefined;
}

/** Brings the official releases of what these builds would make, where they can be had. */
export async function downloadReleases(missing: readonly Build[], report: Report): Promise<void> {
  const wanted = [...new Set(missing.flatMap(releasesOf))].filter(
    (release) => !existsSync(releaseFolder(release)),
  );
  if (wanted.length === 0) return;
  report("looking for official ones");
  // Here, since nothing of it is needed once all is there.
  const { downloadRelease } = require("./download") as typeof import("./download");
  const bytes = new Map<Release, { here: number; total: number }>();
  const show = () => {
    const sum = (key: "here" | "total") =>
      [...bytes.values()].reduce((all, some) => all + some[key], 0) / 1e6;
    report(`${sum("here").toFixed(0)} of ${sum("total").toFixed(0)} MB`);
  };
  await Promise.all(
    wanted.map((release) =>
      downloadRelease(release, releaseFolder(release), {
        signal: interrupt.signal,
        onProgress: (here, total) => {
          bytes.set(release, { here, total });
          show();
        },
      }),
    ),
  );
}

/**
 * Fetches all that the builds of a Go module need; go.sum says what may come. `go mod download`
 * would ask for each version's time as well, which a proxy may refuse.
 */
export async function downloadModule(module: Build["module"]): Promise<void> {
  const go = await attempt("go", ["env", "GOVERSION"]);
  if (go.status !== 0) {
    throw new UserError(
      "Go is not on the PATH, and the toolchain has to be built",
      "install Go 1.21 or newer (it fetches the version that go.mod names by itself)",
    );
  }
  // -e: what is wrong with a package is the build's to say.
  await run("go", ["list", "-e", "-x", "-deps", "tool", "./..."], {
    cwd: join(__dirname, module),
    env: goEnvironment,
    log: `download-${basename(join(__dirname, module))}`,
    quietSeconds: 120,
  });
}

/** Builds into a directory beside the final one and renames it: a half-built one is never used. */
export async function makeBuild(build: Build): Promise<void> {
  const directory = cacheDirectory(build);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const variables = Object.entries(build.variables ?? {}).map(
    ([name, value]) => `-X ${name}=${value}`,
  );
  await run(
    "go",
    [
      ...["build", "-mod=readonly", "-trimpath", "-gcflags=all=-dwarf=false"],
      `-tags=${(build.tags ?? []).join(",")}`,
      `-ldflags=${["-s -w", ...variables].join(" ")}`,
      ...["-o", `${partial}/`, ...Object.keys(build.programs)],
    ],
    { cwd: join(__dirname, build.module), env: goEnvironment, log: `build-${build.name}` },
  );
  for (const [goPackage, [first, ...others]] of Object.entries(build.programs)) {
    const program = join(partial, first as string);
    renameSync(join(partial, basename(goPackage.replace(/\/v\d+$/, ""))), program);
    for (const other of others) linkSync(program, join(partial, other));
  }
  if (build.keeps) {
    const { module, folder } = build.keeps;
    const list = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module];
    const options = { cwd: join(__dirname, build.module), env: goEnvironment };
    const source = (await run("go", list, options)).trim();
    cpSync(join(source, folder), join(partial, folder), { recursive: true });
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
}

/** Go's caches take more than the toolchain: they go once everything is built. */
export const removeGoCaches = () => run("rm", ["-rf", goDirectory]);

/**
 * The wanted programs, from the PATH, the cache or a build.
 * @param wanted names of programs; all that the local stack needs by default
 */
export async function ensureToolchain(
  report: Report,
  wanted: readonly Program[] = builds.flatMap(names),
): Promise<Toolchain> {
  let toolchain: Partial<Toolchain> = {};
  let built = false;
  for (const build of [
    ...builds,
    ...autoscaleBuilds,
    ...failoverBuilds,
    ...testBuilds,
    ...benchBuilds,
  ] as readonly Build[]) {
    if (!names(build).some((name) => wanted.includes(name))) continue;
    let found = await findBuild(build);
    if (!found) {
      await downloadReleases([build], report);
      found = await findBuild(build);
    }
    if (!found) {
      report(build.name);
      await downloadModule(build.module);
      await makeBuild(build);
      built = true;
      found = await findBuild(build);
    }
    toolchain = { ...toolchain, ...found };
  }
  if (built) await removeGoCaches();
  return toolchain as Toolchain;
}

const releasesOf = (build: Build) =>
  releases.filter(({ name }) => build.releases?.includes(name) ?? false);

const releaseFolder = ({ name, version }: Release) =>
  join(cache, "toolchain", `${name}-release-${version}`);

const names = (build: Build) => Object.values(build.programs).flat() as Program[];

const complete = (build: Build, directory: string) =>
  names(build).every((program) => existsSync(join(directory, program)));

/** The directory on the PATH that holds all of the build's programs in a fitting version. */
async function onPath(build: Build): Promise<string | undefined> {
  if (!build.accepts) return undefined;
  const directory = (process.env.PATH ?? "").split(":").find((entry) => complete(build, entry));
  if (directory === undefined) return undefined;
  const [program] = names(build) as [Program];
  const { output } = await attempt(join(directory, program), [...build.accepts.args]);
  return build.accepts.version.test(output) ? directory : undefined;
}

function cacheDirectory(build: Build): string {
  const { programs, tags, variables, keeps } = build;
  const hash = createHash("sha256").update(JSON.stringify({ programs, tags, variables, keeps }));
  const sources = Object.keys(programs).filter((name) => name.startsWith("./"));
  for (const file of ["go.mod", "go.sum", ...sources.map((source) => join(source, "main.go"))]) {
    hash.update(readFileSync(join(__dirname, build.module, file)));
  }
  return join(cache, "toolchain", `${build.name}-${hash.digest("hex").slice(0, 16)}`);
}
