import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { findHolder, inNode } from "../cluster/node";
import { cache } from "../paths";
import type { Report } from "../progress";
import { run } from "../run";
import type { Toolchain } from "../toolchain";
import { type BaseName, type ImageName, type Recipe, recipes } from "./recipes";

/** Image references by digest, as manifests name them. */
export type ImageReferences = Record<ImageName, string>;

export interface Images {
  references: ImageReferences;
  /** Where each lies as a tar file. */
  archives: Record<ImageName, string>;
}

const repositoryPrefix = "localhost/image-service";

/** An image's name in buildah's storage. */
export const imageTag = (name: string) => `${repositoryPrefix}/${name}:local`;

const mirror = "http://deb.debian.org/debian";
const directory = join(cache, "images");
const storage = ["--root", join(cache, "buildah"), "--runroot", "/run/image-service-buildah"];
const buildEnvironment = { BUILDAH_ISOLATION: "chroot", STORAGE_DRIVER: "overlay" };

/** Builds the images whose recipe or content changed. @returns their references */
export async function ensureImages(
  toolchain: Toolchain,
  report: Report,
): Promise<{ images: Images; cached: boolean }> {
  mkdirSync(directory, { recursive: true });
  let cached = true;
  const references: Partial<ImageReferences> = {};
  const archives: Partial<Images["archives"]> = {};
  for (const [index, recipe] of (recipes as readonly Recipe[]).entries()) {
    const archive = archivePath(recipe, toolchain);
    if (!existsSync(archive)) {
      // A build that was cut off leaves its containers.
      if (cached) await buildah("image-clean", ["rm", "--all"]);
      cached = false;
      const position = `${index + 1} of ${recipes.length}: ${recipe.name}`;
      const base = recipe.base && (await ensureBase(recipe.base, archives, report));
      report(position, recipe.expectedSeconds);
      await build(recipe, archive, base, toolchain);
    }
    const digest = readFileSync(`${archive}.digest`, "utf8").trim();
    archives[recipe.name as ImageName] = archive;
    references[recipe.name as ImageName] = `${repositoryPrefix}/${recipe.name}@${digest}`;
  }
  return { images: { references, archives } as Images, cached };
}

/** Loads into the node's containerd what it lacks. @returns whether all was there */
export async function loadImages(
  toolchain: Toolchain,
  { references, archives }: Images,
  report: Report,
): Promise<boolean> {
  const holder = findHolder();
  if (!holder) throw new Error("images are loaded into a running node");
  const ctr = `${toolchain.ctr} --namespace k8s.io images`;
  const present = new Set((await inNode(holder.pid, `${ctr} ls --quiet`)).split("\n"));
  let loaded = true;
  for (const recipe of recipes as readonly Recipe[]) {
    const name = recipe.name as ImageName;
    if (present.has(references[name])) continue;
    loaded = false;
    report(`loading ${name}`, recipe.expectedSeconds / 5);
    const baseName = `${repositoryPrefix}/${name}`;
    await inNode(
      holder.pid,
      `${ctr} import --local --digests --base-name ${baseName} ${archives[name]} >/dev/null`,
    );
  }
  return loaded;
}

/** The archive's name holds a hash of all that goes into the image. */
function archivePath(recipe: Recipe, toolchain: Toolchain): string {
  const hash = createHash("sha256").update(JSON.stringify({ ...recipe, context: "" }));
  hash.update(readFileSync(join(__dirname, "install-packages")));
  for (const program of recipe.programs ?? []) hash.update(toolchain[program]);
  const base = (recipes as readonly Recipe[]).find(({ name }) => name === recipe.base);
  if (base) hash.update(archivePath(base, toolchain));
  for (const file of files(recipe.context)) {
    hash.update(file).update(readFileSync(join(recipe.context, file)));
  }
  return join(directory, `${recipe.name}-${hash.digest("hex").slice(0, 16)}.tar`);
}

/** Files of a build, without tests and what tools leave behind. */
function files(directory: string): string[] {
  const ignored = /^(\..*|__pycache__|tests)$/;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((file) => !file.split("/").some((part) => ignored.test(part)))
    .sort();
}

async function build(
  recipe: Recipe,
  archive: string,
  base: string | undefined,
  toolchain: Toolchain,
): Promise<void> {
  const tag = imageTag(recipe.name);
  await buildah(`image-${recipe.name}`, [
    ...["bud", "--layers", "--timestamp", "0", "--tag", tag],
    ...["--file", join(recipe.context, recipe.file)],
    ...(recipe.target ? ["--target", recipe.target] : []),
    ...(base ? ["--build-arg", `BASE_IMAGE=${base}`] : []),
    ...(recipe.programs ?? []).flatMap((program) => [
      "--build-context",
      `${program}=${dirname(toolchain[program])}`,
    ]),
    ...["--build-context", "host=/usr/bin"],
    ...aptSettings(),
    ...hostCertificates(),
    recipe.context,
  ]);
  const partial = `${archive}.partial`;
  await buildah(`image-${recipe.name}-export`, [
    ...["push", "--disable-compression", "--digestfile", `${archive}.digest`],
    ...[tag, `oci-archive:${partial}:${tag}`],
  ]);
  for (const old of readdirSync(directory)) {
    const file = join(directory, old);
    if (old.startsWith(`${recipe.name}-`) && file !== partial && file !== `${archive}.digest`) {
      rmSync(file);
    }
  }
  renameSync(partial, archive);
  // What the new image replaced; the layers of tagged images stay as the next build's cache.
  await buildah("image-prune", ["rmi", "--prune"]);
}

/** A mirror may hold sid as it was some weeks ago. */
function aptSettings(): string[] {
  const file = join(cache, "apt.conf");
  writeFileSync(file, 'Acquire::Check-Valid-Until "false";\n');
  return ["--volume", `${file}:/etc/apt/apt.conf.d/80image-service:ro`];
}

/** Builds see the host's certificate authorities, for networks that inspect TLS. */
function hostCertificates(): string[] {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  if (!existsSync(bundle)) return [];
  const inside = "/etc/host-ca-certificates.crt";
  const pip = join(cache, "pip.conf");
  writeFileSync(pip, `[global]\ncert = ${inside}\n`);
  return ["--volume", `${bundle}:${inside}:ro`, "--volume", `${pip}:/etc/pip.conf:ro`];
}

/** @returns what a build names as its base image */
async function ensureBase(
  base: BaseName | ImageName,
  archives: Partial<Images["archives"]>,
  report: Report,
): Promise<string> {
  const archive = archives[base as ImageName];
  if (archive) return `oci-archive:${archive}`;
  const tag = `${repositoryPrefix}/debian:${base}`;
  const known = await run(
    "buildah",
    [...storage, "images", "--quiet", "--filter", `reference=${tag}`],
    {
      env: buildEnvironment,
    },
  );
  if (known.trim()) return tag;
  report(`Debian ${base}`, 35);
  const root = join(cache, `debian-${base}`);
  rmSync(root, { recursive: true, force: true });
  await run("debootstrap", ["--variant=minbase", base, root, mirror], {
    log: `debootstrap-${base}`,
    quietSeconds: 120,
  });
  rmSync(join(root, "var/cache/apt"), { recursive: true });
  rmSync(join(root, "var/lib/apt/lists"), { recursive: true });
  const container = (await buildah("base", ["from", "scratch"])).trim();
  await buildah("base", ["add", "--quiet", container, root, "/"]);
  const script = join(__dirname, "install-packages");
  await buildah("base", ["add", "--quiet", "--chmod", "755", container, script, "/usr/local/bin/"]);
  await buildah("base", ["commit", "--quiet", "--rm", container, tag]);
  rmSync(root, { recursive: true, force: true });
  return tag;
}

export const buildah = (log: string, args: string[]) =>
  run("buildah", [...storage, ...args], {
    env: buildEnvironment,
    log,
    quietSeconds: 300,
  });
