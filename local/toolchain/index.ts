import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";
import { cache } from "../paths";
import type { Report } from "../progress";
import { attempt, run } from "../run";
import { type Module, modules, type Program, testModules } from "./modules";

/** Go's own caches are as large as ten toolchains; they live as long as the builds. */
const goDirectory = join(cache, "go");
const goEnvironment = {
  CGO_ENABLED: "0",
  GOCACHE: join(goDirectory, "build"),
  GOMODCACHE: join(goDirectory, "mod"),
  GOFLAGS: "-modcacherw",
};

/** Where each program lies, by its name. */
export type Toolchain = Record<Program, string>;

/**
 * Finds every wanted module's programs on the PATH or in the cache and builds what is missing.
 * Go verifies each download against go.sum.
 * @returns the programs, and whether nothing had to be built
 */
export async function ensureToolchain(
  report: Report,
  wanted: readonly string[] = modules.map((module) => module.name),
): Promise<{ toolchain: Toolchain; cached: boolean }> {
  const toolchain: Partial<Toolchain> = {};
  let cached = true;
  const chosen = ([...modules, ...testModules] as readonly Module[]).filter(({ name }) =>
    wanted.includes(name),
  );
  for (const [index, module] of chosen.entries()) {
    const directory = (await onPath(module)) ?? cacheDirectory(module);
    if (!complete(module, directory)) {
      cached = false;
      report(`${index + 1} of ${chosen.length}: ${module.name}`, module.expectedSeconds);
      await build(module, directory);
    }
    for (const program of Object.keys(module.programs)) {
      toolchain[program as Program] = join(directory, program);
    }
  }
  if (!cached) rmSync(goDirectory, { recursive: true, force: true });
  return { toolchain: toolchain as Toolchain, cached };
}

/** The directory on the PATH that holds all of the module's programs in a fitting version. */
async function onPath(module: Module): Promise<string | undefined> {
  const directory = (process.env.PATH ?? "").split(":").find((entry) => complete(module, entry));
  if (directory === undefined) return undefined;
  const [program] = Object.keys(module.programs) as [string];
  const { output } = await attempt(join(directory, program), module.accepts.args);
  return module.accepts.version.test(output) ? directory : undefined;
}

const complete = (module: Module, directory: string) =>
  Object.keys(module.programs).every((program) => existsSync(join(directory, program)));

function cacheDirectory(module: Module): string {
  const hash = createHash("sha256").update(JSON.stringify(module));
  for (const file of ["go.mod", "go.sum"]) {
    hash.update(readFileSync(join(__dirname, module.name, file)));
  }
  return join(cache, "toolchain", `${module.name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Builds into a directory beside the final one and renames it: a half-built one is never used. */
async function build(module: Module, directory: string): Promise<void> {
  const go = await attempt("go", ["env", "GOVERSION"]);
  if (go.status !== 0) {
    throw new UserError(
      "Go is not on the PATH, and the toolchain has to be built",
      "install Go 1.21 or newer (it fetches the version that go.mod names by itself)",
    );
  }
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await run("go", ["mod", "download", "-x"], {
    cwd: join(__dirname, module.name),
    env: goEnvironment,
    log: `download-${module.name}`,
    quietSeconds: 120,
  });
  const variables = Object.entries(module.variables ?? {}).map(
    ([name, value]) => `-X ${name}=${value}`,
  );
  for (const [program, goPackage] of Object.entries(module.programs)) {
    await run(
      "go",
      [
        "build",
        "-mod=readonly",
        "-trimpath",
        `-tags=${(module.tags ?? []).join(",")}`,
        `-ldflags=${["-s -w", ...variables].join(" ")}`,
        "-o",
        join(partial, program),
        goPackage,
      ],
      {
        cwd: join(__dirname, module.name),
        env: goEnvironment,
        log: `build-${program}`,
      },
    );
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
}
