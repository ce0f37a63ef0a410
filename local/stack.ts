import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parse, stringify } from "yaml";
import { alertWebhook } from "./alerts";
import { UserError } from "./errors";
import type { ImageReferences } from "./images";
import { cache, repository, state } from "./paths";
import { commandName, isRunning } from "./processes";
import type { Report } from "./progress";
import { attempt, interrupt, type Result, run } from "./run";
import type { Toolchain } from "./toolchain";

const directory = join(state, "pulumi");
const backend = join(directory, "backend");
const secretsFile = join(state, "secrets.json");

export type ConfigValues = Record<string, unknown>;

/** Made once, at random, but for the URL; only this stack knows them. */
export interface Secrets {
  passphrase: string;
  apiSecret: string;
  databasePassword: string;
  redisPassword: string;
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  archiveCipherPass: string;
  alertWebhook: string;
}

/** A Pulumi program that runs on the local cluster. */
export interface Project {
  /** As its Pulumi.yaml says. */
  name: string;
  directory: string;
  /** Its secret keys. */
  secrets: readonly (keyof Secrets)[];
}

const imageService: Project = {
  name: "image-service",
  directory: repository,
  secrets: [
    "apiSecret",
    "databasePassword",
    "redisPassword",
    "s3AccessKeyId",
    "s3SecretAccessKey",
    "archiveCipherPass",
    "alertWebhook",
  ],
};

/** The file that holds a stack's state. */
export const checkpointOf = (stack: string, project = imageService): string =>
  join(backend, ".pulumi/stacks", project.name, `${stack}.json`);

/** The stack's secrets, made on first use. */
export function secrets(): Secrets {
  const known = existsSync(secretsFile)
    ? (JSON.parse(readFileSync(secretsFile, "utf8")) as Partial<Secrets>)
    : {};
  const random = () => randomBytes(24).toString("hex");
  const all: Secrets = {
    passphrase: random(),
    apiSecret: random(),
    databasePassword: random(),
    redisPassword: random(),
    s3AccessKeyId: randomBytes(10).toString("hex"),
    s3SecretAccessKey: random(),
    archiveCipherPass: random(),
    alertWebhook,
    ...known,
  };
  // A release may have brought one more.
  if (Object.keys(known).length < Object.keys(all).length) {
    mkdirSync(dirname(secretsFile), { recursive: true });
    writeFileSync(secretsFile, JSON.stringify(all), { mode: 0o600 });
  }
  return all;
}

/** The Pulumi CLI on a stack of the local cluster, with the official Kubernetes plugin or its stand-in. */
export class LocalStack {
  private constructor(
    private readonly project: Project,
    private readonly name: string,
    private readonly pulumi: string,
    private readonly environment: Record<string, string>,
    private readonly standIn: StandIn | undefined,
  ) {}

  /**
   * @param name the stack's; each starts from the project's committed Pulumi.local.yaml, if any
   * @param values configuration over it, by key without the project's name
   * @param report says when something has to be fetched first
   */
  static async open(
    name: string,
    toolchain: Toolchain,
    values: ConfigValues,
    report: Report,
    project = imageService,
  ): Promise<LocalStack> {
    const pulumi = toolchain.pulumi;
    mkdirSync(backend, { recursive: true });
    const environment = {
      PATH: [dirname(pulumi), dirname(toolchain["pulumi-language-nodejs"]), process.env.PATH].join(
        ":",
      ),
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: secrets().passphrase,
      PULUMI_HOME: join(cache, "pulumi"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Pulumi.yaml says the same, but not every language host hands it on.
      PULUMI_NODEJS_TSCONFIG_PATH: join(repository, "tsconfig.pulumi.json"),
    };
    const opened = new LocalStack(project, name, pulumi, environment, undefined);
    await opened.#init(values);
    if (await opened.#hasOfficialPlugin(report)) return opened;
    const standIn = await startStandIn();
    return new LocalStack(
      project,
      name,
      pulumi,
      {
        ...environment,
        PULUMI_DEBUG_PROVIDERS: `kubernetes:${standIn.port}`,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      },
      standIn,
    );
  }

  /** Whether the stand-in serves the Kubernetes resources, not the official plugin. */
  get usesStandIn(): boolean {
    return this.standIn !== undefined;
  }

  close(): void {
    this.standIn?.close();
  }

  /** Secrets of its configuration besides those that every local stack has. */
  async setSecrets(values: Record<string, string>): Promise<void> {
    const assignments = Object.entries(values).flatMap(([key, it]) => ["--secret", `${key}=${it}`]);
    const file = ["--config-file", this.#configFile];
    await run(this.pulumi, ["config", "set-all", ...assignments, ...file, ...this.#target()], {
      env: this.environment,
    });
  }

  /** @param flags of `pulumi up` @returns whether nothing had to change */
  async up(report: Report, ...flags: string[]): Promise<boolean> {
    const { output } = await this.#update("up", ["--skip-preview", ...flags], report);
    return !/^\s+[+~-]+ ?\d+ (created|updated|replaced|deleted)/m.test(output);
  }

  async destroy(report: Report): Promise<void> {
    await this.#update("destroy", ["--skip-preview"], report);
  }

  /** How many resources the stack's state holds, besides the stack's own. */
  async resources(): Promise<number> {
    const json = await run(this.pulumi, ["stack", "export", ...this.#target()], {
      env: this.environment,
    });
    const { deployment } = JSON.parse(json) as { deployment: { resources?: { type: string }[] } };
    return (deployment.resources ?? []).filter(({ type }) => type !== "pulumi:pulumi:Stack").length;
  }

  async outputs(): Promise<Record<string, unknown>> {
    const json = await run(
      this.pulumi,
      ["stack", "output", "--json", "--show-secrets", ...this.#target()],
      { env: this.environment },
    );
    return JSON.parse(json) as Record<string, unknown>;
  }

  /** The committed Pulumi.local.yaml plus this machine's values; the repo's file stays as it is. */
  get #configFile(): string {
    return join(directory, `${this.project.name}.${this.name}.yaml`);
  }

  #target(): string[] {
    return [
      "--stack",
      this.name,
      "--cwd",
      this.project.directory,
      "--non-interactive",
      "--color=never",
    ];
  }

  async #update(command: "up" | "destroy", flags: string[], report: Report): Promise<Result> {
    await this.#releaseStaleLock();
    const result = await attempt(
      this.pulumi,
      [command, "--yes", "--config-file", this.#configFile, ...flags, ...this.#target()],
      {
        env: this.environment,
        log: `pulumi-${command}`,
        onOutput: (chunk) => {
          // Lines about resources; the engine's dots and headings say nothing new.
          const line = chunk.trim().split("\n").at(-1)?.trim().replace(/\s+/g, " ") ?? "";
          if (/^[+~-]+ \w+:/.test(line)) report(line.slice(0, 100));
        },
      },
    );
    interrupt.signal.throwIfAborted();
    if (result.status !== 0) {
      throw new UserError(
        `pulumi ${command} failed:\n${diagnostics(result.output)}`,
        "mend what the message names and run it again",
      );
    }
    return result;
  }

  async #init(values: ConfigValues): Promise<void> {
    const { name: project, directory: source, secrets: keys } = this.project;
    // An empty project of the same name, where `stack init` and `config set` may write.
    const scratchProject = join(directory, "projects", project);
    const scratchConfig = join(scratchProject, `Pulumi.${this.name}.yaml`);
    const scratch = ["--stack", this.name, "--cwd", scratchProject, "--non-interactive"];
    mkdirSync(scratchProject, { recursive: true });
    writeFileSync(
      join(scratchProject, "Pulumi.yaml"),
      stringify({ name: project, runtime: "nodejs" }),
    );
    if (!existsSync(checkpointOf(this.name, this.project))) {
      rmSync(scratchConfig, { force: true });
      await run(this.pulumi, ["stack", "init", "--secrets-provider=passphrase", ...scratch], {
        env: this.environment,
      });
    }
    const set = readFileSync(scratchConfig, "utf8");
    if (!keys.every((key) => set.includes(`${project}:${key}:`))) {
      const assignments = keys.flatMap((key) => ["--secret", `${key}=${secrets()[key]}`]);
      await run(this.pulumi, ["config", "set-all", ...assignments, ...scratch], {
        env: this.environment,
      });
    }
    const committed = join(source, "Pulumi.local.yaml");
    type StackFile = { config?: ConfigValues };
    const read = (file: string) => parse(readFileSync(file, "utf8")) as StackFile;
    const own = read(scratchConfig);
    const machine = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`${project}:${key}`, value]),
    );
    const config = {
      ...(existsSync(committed) ? read(committed).config : {}),
      ...own.config,
      ...machine,
    };
    writeFileSync(this.#configFile, stringify({ ...own, config }), { mode: 0o600 });
  }

  /** A lock whose process was killed holds nobody up; a living one does. */
  async #releaseStaleLock(): Promise<void> {
    const locks = join(backend, ".pulumi/locks/organization", this.project.name, this.name);
    if (!existsSync(locks)) return;
    for (const file of readdirSync(locks)) {
      const { pid } = JSON.parse(readFileSync(join(locks, file), "utf8")) as { pid: number };
      // It says no more of its owner; what is no pulumi now has got the pid since.
      if (isRunning({ pid }) && [undefined, "pulumi"].includes(commandName(pid))) {
        throw new UserError(
          `the stack is locked by another pulumi (pid ${pid})`,
          "wait for it to end, or end it, and run this again",
        );
      }
      rmSync(join(locks, file));
    }
  }

  async #hasOfficialPlugin(report: Report): Promise<boolean> {
    const version = (
      parse(
        readFileSync(join(repository, "node_modules/@pulumi/kubernetes/package.json"), "utf8"),
      ) as {
        version: string;
      }
    ).version;
    const unavailable = join(cache, `no-kubernetes-plugin-${version}`);
    if (existsSync(unavailable)) return false;
    report("looking for the official Kubernetes plugin");
    const install = ["plugin", "install", "resource", "kubernetes", `v${version}`];
    const { status } = await attempt(this.pulumi, install, {
      env: this.environment,
      log: "plugin-install",
      quietSeconds: 60,
    });
    if (status !== 0) writeFileSync(unavailable, "");
    return status === 0;
  }
}

/** The images as the program's configuration names them; the cluster's own stay out. */
export function imageConfig(images: ImageReferences): ConfigValues {
  const {
    pause: _,
    addons: __,
    "official-postgres": ___,
    "object-store": objectStore,
    logs,
    ...rest
  } = images;
  return {
    ...rest,
    objectStore,
    alertmanager: images.prometheus,
    nginxExporter: images.nginx,
    postgresExporter: images.postgres,
    redisExporter: images.redis,
    victoriaLogs: logs,
    vlagent: logs,
  };
}

/** A process that serves Kubernetes resources to engines. */
export interface StandIn {
  /** On the loopback interface, for PULUMI_DEBUG_PROVIDERS. */
  port: number;
  close(): void;
}

/** Starts the official Kubernetes plugin's stand-in; it ends with this process at the latest. */
export async function startStandIn(): Promise<StandIn> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(__dirname, "kubernetes-plugin/main.ts")],
    { cwd: repository, stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  const close = () => void child.kill();
  process.once("exit", close);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (/^\d+$/.test(line)) return { port: Number(line), close };
  }
  throw new UserError(
    "the Kubernetes plugin stand-in ended before it served",
    "its message stands above; check node_modules with npm ci",
  );
}

/** The part of Pulumi's output that says what went wrong. */
function diagnostics(output: string): string {
  const start = output.lastIndexOf("Diagnostics:");
  const text = start >= 0 ? output.slice(start) : output.split("\n").slice(-25).join("\n");
  return text.trim();
}
