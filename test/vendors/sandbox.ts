import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildah, imageTag } from "../../local/images";
import { attempt, type Result } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import type { Program } from "../../local/toolchain/builds";

/** What a container is given. */
export interface Container {
  command: string[];
  user: number;
  env: Record<string, string>;
  /** Path in the container → directory of this machine. */
  mounts: Record<string, string>;
  /** Shell command that succeeds once it is ready; it is then ended. @default it ends by itself */
  ready?: string;
  /** Shell line that root runs in it first, and which may leave servers behind. */
  beside?: string;
}

const log = "image-vendors";

/** An image of the local stack, unpacked, in which commands run as containers of a pod would. */
export class Sandbox {
  private constructor(
    private readonly container: string,
    private readonly root: string,
  ) {}

  /** @param programs of the toolchain, added to the image's own */
  static async of(image: string, programs: Program[] = []): Promise<Sandbox> {
    const container = (await buildah(log, ["from", "--pull-never", imageTag(image)])).trim();
    const root = (await buildah(log, ["mount", container])).trim();
    if (programs.length > 0) {
      const toolchain = await ensureToolchain(() => {}, programs);
      for (const program of programs) {
        copyFileSync(toolchain[program], join(root, "usr/local/bin", program));
      }
    }
    return new Sandbox(container, root);
  }

  async close(): Promise<void> {
    await buildah(log, ["rm", this.container]);
  }

  /**
   * Runs a command with a network, a process table and mounts of its own, on a root file system
   * that can't be written. @returns how it ended: status 0 if it was ready
   */
  run({ command, user, env, mounts, ready, beside }: Container): Promise<Result> {
    for (const path of Object.keys(mounts)) mkdirSync(join(this.root, path), { recursive: true });
    writeFileSync(join(this.root, "etc/hosts"), hosts);
    const binds = Object.entries(mounts).flat();
    // --norc: bash takes Node's socket for a remote login, for which it reads /etc/bash.bashrc.
    return attempt("unshare", [
      ...[
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        "--norc",
        "-euc",
        outside,
        "bash",
      ],
      ...[this.root, String(user), beside ?? "", String(Object.keys(mounts).length)],
      ...binds,
      ...Object.entries({ PATH: path, ...env }).map(([name, value]) => `${name}=${value}`),
      ...[
        "bash",
        "--norc",
        "-c",
        ready ? untilReady : 'shift; exec "$@"',
        "bash",
        ready ?? "",
        ...command,
      ],
    ]);
  }
}

/** Names that programs look up: when they read their configuration, and what stands beside them. */
const hosts = [
  "127.0.0.1 localhost kube-dns.kube-system.svc.cluster.local",
  ...["postgres", "redis", "object-store"].map((name) => `${name}.image-service.svc.cluster.local`),
]
  .join(" ")
  .concat("\n");

const path = [
  "/usr/lib/postgresql/18/bin",
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
].join(":");

/** Mounts what the container sees, then enters it with no capability left. */
const outside = `
root=$1 user=$2 beside=$3 count=$4
shift 4
ip link set lo up
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
while [ "$count" -gt 0 ]; do
  mount --bind "$2" "$root$1"
  shift 2
  count=$((count - 1))
done
mount -o remount,bind,ro "$root"
chroot "$root" env -i PATH="${path}" bash --norc -euc "$beside"
enter() {
  # Programs open /dev/stdout, which a container's user may.
  chown "$user" /proc/self/fd/1
  exec chroot --userspec="$user:$user" --groups="$user" "$root" env -i "$@"
}
set -o pipefail
enter "$@" 2>&1 | cat
`;

const untilReady = `
ready=$1
shift
"$@" &
for _ in $(seq 300); do
  if (eval "$ready") >/dev/null 2>&1; then
    kill %1
    wait %1
    exit 0
  fi
  [ -n "$(jobs -r)" ] || { wait %1; echo "ended with $? before it was ready"; exit 1; }
  sleep 0.1
done
echo "not ready after 30 s"
exit 1
`;
