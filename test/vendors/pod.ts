import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ImageName } from "../../local/images/recipes";
import type { Result } from "../../local/run";
import type { Program } from "../../local/toolchain/builds";
import { containersOf, type Props, podOf } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { type Container, Sandbox } from "./sandbox";

/** Whose image of the local stack has the programs of a key of `images`, or at least a shell. */
const localImages: Record<string, ImageName> = {
  alertmanager: "prometheus",
  backup: "backup",
  cloudflared: "object-store",
  nginx: "nginx",
  objectStore: "object-store",
  postgres: "postgres",
  postgresExporter: "backup",
  prometheus: "prometheus",
  redis: "redis",
  redisExporter: "redis",
  victoriaLogs: "logs",
};

/**
 * What runs where a manifest names no command.
 * https://github.com/cloudflare/cloudflared/blob/2026.8.2/Dockerfile
 */
const entrypoints: Record<string, string[]> = { cloudflared: ["cloudflared", "--no-autoupdate"] };

/** What a pod is given beside what its golden files say. */
export interface Given {
  /** Laid over the environment that it declares. */
  env?: Record<string, string>;
  /** Of the local stack, in place of its own. */
  image?: string;
  /** Programs of the toolchain, added to its image. */
  programs?: Program[];
  /** Directories of this machine, by their place in it, beside its volumes. */
  mounts?: Record<string, string>;
  /** Shell line that root runs in its place first, and which may leave servers behind. */
  beside?: string;
}

/** A pod of a golden file, started here with the arguments, files and user that it declares. */
export class GoldenPod {
  readonly #directory = mkdtempSync(join(tmpdir(), "image-service-vendors-"));
  readonly #objects: Record<string, Props>;
  readonly #spec: Props;

  constructor(
    stack: string,
    name: string,
    private readonly given: Given = {},
  ) {
    this.#objects = Object.fromEntries(
      Object.entries(accepted(stack)).map(([logical, { inputs }]) => [
        logical,
        plain(inputs) as Props,
      ]),
    );
    const { type } = accepted(stack)[name] as { type: string };
    const props = this.#objects[name] as Props;
    this.#spec = podOf({ type, name, stack, props, protect: false })?.spec as Props;
    this.#fill();
  }

  close(): void {
    rmSync(this.#directory, { recursive: true });
  }

  get user(): number {
    return this.#spec.securityContext.runAsUser;
  }

  /** Where a volume lies on this machine; it keeps its content from start to start. */
  volume(name: string): string {
    return join(this.#directory, name);
  }

  /**
   * Prepares it, then runs the first container until its readiness probe answers.
   * @returns the last that ran, with status 0 if all went well
   * @param status of HTTP with which that probe has to be answered
   * @param env laid over what each container has
   */
  async start(status = 200, env: Record<string, string> = {}): Promise<Result> {
    const failed = await this.prepare(env);
    return failed ?? this.#run(this.container, probe(this.container, status), env);
  }

  /** Runs the init containers to their end. @returns the one that failed */
  async prepare(env: Record<string, string> = {}): Promise<Result | undefined> {
    for (const container of this.#spec.initContainers ?? []) {
      const result = await this.#run(container, undefined, env);
      if (result.status !== 0) return result;
    }
    return undefined;
  }

  /** The first container, as it is declared. */
  get container(): Props {
    return this.#spec.containers[0];
  }

  /** What stands beside it. */
  get sidecar(): Props {
    return this.#spec.containers[1];
  }

  /** The first container's environment. */
  get environment(): Record<string, string> {
    return this.#environment(this.container);
  }

  /**
   * Runs another command in place of the first container's own.
   * @param env laid over what it has
   */
  command(command: string[], env: Record<string, string> = {}): Promise<Result> {
    return this.#run({ ...this.container, command, args: [] }, undefined, env);
  }

  async #run(container: Props, ready?: string, more: Record<string, string> = {}): Promise<Result> {
    // Of a published image the name; of one that is built, whose tag is STACK-IMAGE, the tag's end.
    const [, name, tagged] = /([^/:]+)(?::[a-z]+-([a-z-]+))?@/.exec(container.image) ?? [];
    const declared = (tagged ?? name) as string;
    const { env, image, programs, mounts, beside } = this.given;
    const sandbox = await Sandbox.of(image ?? localImages[declared] ?? declared, programs);
    const given: Container = {
      command: [...(container.command ?? entrypoints[declared] ?? []), ...(container.args ?? [])],
      user: this.user,
      env: { ...this.#environment(container), ...env, ...more },
      mounts: {
        ...Object.fromEntries(
          ((container.volumeMounts ?? []) as Props[]).map(({ name, mountPath }) => [
            mountPath,
            this.volume(name),
          ]),
        ),
        ...mounts,
      },
      ready,
      beside,
    };
    try {
      return await sandbox.run(given);
    } finally {
      await sandbox.close();
    }
  }

  #fill(): void {
    const names = new Set(
      containersOf(this.#spec)
        .flatMap(({ volumeMounts = [] }) => volumeMounts as Props[])
        .map(({ name }) => name as string),
    );
    for (const name of names) {
      mkdirSync(this.volume(name));
      const volume = ((this.#spec.volumes ?? []) as Props[]).find((each) => each.name === name);
      const files = this.#files(volume?.configMap?.name ?? volume?.secret?.secretName);
      for (const [file, text] of Object.entries(files)) {
        const path = join(this.volume(name), file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
      chownSync(this.volume(name), this.user, this.user);
    }
  }

  #files(object: string | undefined): Record<string, string> {
    const { data, stringData } = (object && this.#objects[object]) || ({} as Props);
    return data ?? stringData ?? {};
  }

  #environment({ env = [], envFrom = [] }: Props): Record<string, string> {
    const whole = (envFrom as Props[]).map(({ secretRef, configMapRef }) =>
      this.#files((secretRef ?? configMapRef).name),
    );
    const single = (env as Props[]).map(({ name, value, valueFrom }) => {
      const from = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
      return { [name]: from ? this.#files(from.name)[from.key] : (value ?? name) };
    });
    return Object.assign({}, ...whole, ...single);
  }
}

/** A readiness probe as a line of bash. */
function probe(
  { readinessProbe: { exec, httpGet, tcpSocket }, ports }: Props,
  status: number,
): string {
  if (exec) return exec.command.map((word: string) => `'${word}'`).join(" ");
  const { port } = httpGet ?? tcpSocket;
  const number = (ports as Props[]).find(({ name }) => name === port)?.containerPort ?? port;
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${number}`;
  if (!httpGet) return connect;
  return `${connect} && printf 'GET ${httpGet.path} HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep ' ${status} '`;
}
