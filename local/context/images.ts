import { join } from "node:path";
import { published } from "../../docker/images";
import { UserError } from "../errors";
import { repository } from "../paths";
import type { Report } from "../progress";
import { run } from "../run";
import type { Cost } from "../steps";
import type { Registry } from "./registry";

/** Built from this repository, or brought from where its project publishes it. */
type Source = { context: string; args?: readonly string[]; cost: Cost } | { from: string };

const service = (target: string) => ({
  context: join(repository, "docker/service"),
  args: [`--target=${target}`, `--build-arg=BASE_IMAGE=${published.debian}`],
});

const onPostgres = (context: string) => ({
  context: join(repository, context),
  args: [`--build-arg=BASE_IMAGE=${published.postgres}`],
  cost: { seconds: 30, cpuSeconds: 20 },
});

/** By their keys in the stack's configuration. */
export const sources = {
  api: { ...service("api"), cost: { seconds: 60, cpuSeconds: 45 } },
  worker: { ...service("worker"), cost: { seconds: 200, cpuSeconds: 170 } },
  postgres: onPostgres("docker/postgres"),
  backup: onPostgres("docker/backup"),
  objectStore: { from: published.versitygw },
  nginx: { from: published.nginx },
  redis: { from: published.redis },
  prometheus: { from: published.prometheus },
} as const satisfies Record<string, Source>;

export type ContextImage = keyof typeof sources;

export const costOf = (source: Source): Cost =>
  "from" in source ? { seconds: 10, cpuSeconds: 2 } : source.cost;

/**
 * Makes an image with Docker and pushes it.
 * @param platform Docker's name of what the nodes run
 * @returns its reference by digest, as the nodes pull it
 */
export async function publish(
  image: ContextImage,
  registry: Registry,
  platform: string,
  report: Report,
): Promise<string> {
  const source: Source = sources[image];
  const name = image.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const tag = `${registry.push}/${name}:local`;
  const docker = (...args: string[]) =>
    run("docker", args, {
      log: `docker-${name}`,
      // Else each build has another digest, for the time in what it says of itself.
      // https://docs.docker.com/build/building/variables/#buildx_no_default_attestations
      env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
    });
  if ("from" in source) {
    report("pulling");
    await docker("pull", "--quiet", `--platform=${platform}`, source.from);
    await docker("tag", source.from, tag);
  } else {
    report("building");
    await docker(
      ...["build", `--platform=${platform}`, `--tag=${tag}`],
      ...(source.args ?? []),
      source.context,
    );
  }
  report("pushing");
  return `${registry.pull}/${name}@${pushedDigest(await docker("push", tag), tag)}`;
}

/**
 * The digest of what a push has left in the registry. `docker image inspect` may name another: of
 * an index with several platforms only the one that is here is pushed.
 * https://github.com/moby/moby/blob/00408909c50afee20aaea3cee57c010aecade5fe/daemon/containerd/image_push.go
 */
export function pushedDigest(output: string, tag: string): string {
  const digest = /^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+\s*$/m.exec(output)?.[1];
  if (digest !== undefined) return digest;
  throw new UserError(
    `docker push ${tag} named no digest:\n${output.trim()}`,
    "use Docker's own client; one that stands in for it may say nothing",
  );
}
