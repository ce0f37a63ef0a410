import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findHolder, inNode } from "../cluster/node";
import { cache } from "../paths";
import type { Report } from "../progress";
import { run } from "../run";
import type { Toolchain } from "../toolchain";
import { type BaseName, type ImageName, type Recipe, recipes } from "./recipes";

/** Image references by digest, as manifests name them. */
export type ImageReferences = Record<ImageName, string>;

const repositoryPrefix = "localhost/image-service";

/** An image's name in buildah's storage, and beside its digest in the node's containerd. */
export const imageTag = (name: string) => `${repositoryPrefix}/${name}:local`;

const mirror = "http://deb.debian.org/debian";
const directory = join(cache, "images");
const storage = ["--root", join(cache, "buildah"), "--runroot", "/run/image-service-buildah"];
const buildEnvironment = { BUILDAH_ISOLATION: "chroot", STORAGE_DRIVER: "overlay" };

/** Builds that were cut off leave their containers, which buildah names so. */
export async function removeLeftovers(): Promise<void> {
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(cache, "buildah"))) return;
  const named = ["containers", "--quiet", "--filter", "name=working-container"];
  const left = (await buildah("image-clean", named)).split("\n").filter(Boolean);
  if (left.length > 0) await buildah("image-clean", ["rm", ...left]);
}

/**
 * Layers of images that newer ones replaced; those of present ones are the next build's cache. One
 * that somebody's container is made of stays, and no set-up fails for it.
 */
export const removeReplaced = () => buildah("image-prune", ["rmi", "--prune"]).catch(() => {});

/** Whether the largest image was built once, and with it most of what a set-up takes of the disk. */
export const builtBefore = (): boolean =>
  existsSync(directory) && readdirSync(directory).some((record) => record.startsWith("worker-"));

/** Builds an image unless it is there from the same recipe and content. */
export async function ensureImage(
  recipe: Recipe,
  toolchain: Partial<Toolchain>,
  report: Report,
): Promise<void> {
  const record = recordFile(recipe, toolchain);
  if (existsSync(record)) return;
  report("building");
  await buildah(`image-${recipe.name}`, [
    ...["bud", "--layers", "--timestamp", "0", "--tag", imageTag(recipe.name)],
    ...["--file", join(recipe.context, recipe.file)],
    ...(recipe.target ? ["--target", recipe.target] : []),
    ...(recipe.base ? ["--build-arg", `BASE_IMAGE=${baseTag(recipe.base)}`] : []),
    ...(recipe.programs ?? []).flatMap((program) => [
      "--build-context",
      `${program}=${dirname(toolchain[program] as string)}`,
    ]),
    ...["--build-context", "host=/usr/bin"],
    ...aptSettings(),
    ...hostCertificates(),
    recipe.context,
  ]);
  for (const old of readdirSync(directory)) {
    if (old.replace(/-[0-9a-f]+$/, "") === recipe.name) rmSync(join(directory, old));
  }
  writeFileSync(record, "");
}

/** Loads an image into the node's containerd unless it is there. @returns its reference */
export async function loadImage(
  recipe: Recipe,
  toolchain: Partial<Toolchain>,
  report: Report,
): Promise<string> {
  const holder = findHolder();
  if (!holder) throw new Error("images are loaded into a running node");
  const record = recordFile(recipe, toolchain);
  const name = `${repositoryPrefix}/${recipe.name}`;
  const ctr = `${toolchain.ctr} --namespace k8s.io images`;
  const present = async () =>
    (await inNode(holder.pid, `${ctr} ls --quiet 'name~="^${name}@"'`)).trim().split("\n");
  const known = readFileSync(record, "utf8");
  if (known && (await present()).includes(known)) return known;
  report("loading");
  const reference = await importImage(recipe.name, holder.pid, toolchain.ctr as string);
  const loaded = await present();
  if (!loaded.includes(reference)) throw new Error(`what was loaded is not there: ${reference}`);
  // Only now: what runs needs the older one until then, should this be cut off.
  const older = loaded.filter((other) => other !== reference);
  if (older.length > 0) await inNode(holder.pid, `${ctr} rm ${older.join(" ")}`);
  writeFileSync(record, reference);
  return reference;
}

/** Takes an image from buildah's storage to the node's containerd. @returns its reference */
export async function importImage(name: string, node: number, ctr: string): Promise<string> {
  // Streamed: an archive would take as much disk as the image, and as long to write.
  const stream =
    'node=$1 ctr=$2 name=$3; shift 3; buildah "$@" | nsenter --target "$node" --mount --net --pid ' +
    '"$ctr" --namespace k8s.io images import --local --digests --base-name "$name" -';
  const repository = `${repositoryPrefix}/${name}`;
  const told = await run(
    "bash",
    [
      ...["-euo", "pipefail", "-c", stream, "load", String(node), ctr, repository],
      ...[...storage, "push", "--quiet", "--disable-compression", imageTag(name)],
      `docker-archive:/dev/stdout:${imageTag(name)}`,
    ],
    { env: buildEnvironment, log: `load-${name}` },
  );
  const [digest] = /sha256:[0-9a-f]{64}/.exec(told) ?? [];
  if (!digest) throw new Error(`ctr did not name what it loaded: ${told}`);
  return `${repository}@${digest}`;
}

/** The base image of some recipes: Debian, installed by its own tool. */
export async function ensureBase(base: BaseName, report: Report): Promise<void> {
  const tag = baseTag(base);
  const known = await buildah(`base-${base}`, [
    ...["images", "--quiet", "--filter", `reference=${tag}`],
  ]);
  if (known.trim()) return;
  report("installing");
  const root = join(cache, `debian-${base}`);
  rmSync(root, { recursive: true, force: true });
  await run("debootstrap", ["--variant=minbase", base, root, mirror], {
    log: `debootstrap-${base}`,
    quietSeconds: 120,
  });
  rmSync(join(root, "var/cache/apt"), { recursive: true });
  rmSync(join(root, "var/lib/apt/lists"), { recursive: true });
  report("packing");
  const container = (await buildah(`base-${base}`, ["from", "scratch"])).trim();
  const script = join(__dirname, "install-packages");
  for (const args of [
    ["add", "--quiet", container, root, "/"],
    ["add", "--quiet", "--chmod", "755", container, script, "/usr/local/bin/"],
    ["commit", "--quiet", "--rm", container, tag],
  ]) {
    await buildah(`base-${base}`, args);
  }
  rmSync(root, { recursive: true, force: true });
}

const baseTag = (base: BaseName | ImageName) =>
  base === "bookworm" || base === "sid" ? `${repositoryPrefix}/debian:${base}` : imageTag(base);

/** Where an image's reference is kept once it was built; the name holds a hash of its content. */
function recordFile(recipe: Recipe, toolchain: Partial<Toolchain>): string {
  const { cost: _, context, ...what } = recipe;
  const hash = createHash("sha256").update(JSON.stringify(what));
  hash.update(readFileSync(join(__dirname, "install-packages")));
  for (const program of recipe.programs ?? []) hash.update(toolchain[program] as string);
  const base = (recipes as readonly Recipe[]).find(({ name }) => name === recipe.base);
  if (base) hash.update(recordFile(base, toolchain));
  for (const file of files(context)) hash.update(file).update(readFileSync(join(context, file)));
  return join(directory, `${recipe.name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Files of a build, without tests and what tools leave behind. */
function files(directory: string): string[] {
  const ignored = /^(\..*|__pycache__|tests|data)$/;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((file) => !file.split("/").some((part) => ignored.test(part)))
    .sort();
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

export const buildah = (log: string, args: string[]) =>
  run("buildah", [...storage, ...args], {
    env: buildEnvironment,
    log,
    quietSeconds: 300,
  });
