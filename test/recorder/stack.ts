import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { repository } from "../../local/paths";
import { attempt, type Result } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import { environment } from "../environment";
import { overlay, secretValues, type Values, withPlaceholders } from "../placeholders";
import { Recorder } from "./provider";

/** The prod stack in a project of its own, run by the real engine with recording providers. */
export class RecordedStack {
  private constructor(
    /** A copy of the program. */
    readonly directory: string,
    readonly recorder: Recorder,
    private readonly pulumi: string,
    /** What the CLI is run with, beside this process's environment. */
    readonly environment: NodeJS.ProcessEnv,
  ) {}

  /**
   * @param start of the program: types are checked, or only removed as in Pulumi.yaml
   * @param values of the stack: with placeholders for what Pulumi.prod.yaml lacks, or that file alone
   */
  static async create(
    start: "as configured" | "type-checked",
    values: "placeholders" | "as committed" = "placeholders",
  ): Promise<RecordedStack> {
    const toolchain = await ensureToolchain(() => {}, ["pulumi", "pulumi-language-nodejs"]);
    const { recorder, attach } = await Recorder.start();
    const directory = mkdtempSync(join(tmpdir(), "image-service-recorded-"));
    copyProgram(directory, start);
    const stack = new RecordedStack(directory, recorder, toolchain.pulumi, {
      ...environment,
      PATH: [
        ...[toolchain.pulumi, toolchain["pulumi-language-nodejs"]].map((program) =>
          dirname(program),
        ),
        process.env.PATH,
      ].join(":"),
      PULUMI_BACKEND_URL: `file://${directory}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase",
      PULUMI_DEBUG_PROVIDERS: attach,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_HOME: join(directory, "home"),
      // What Pulumi.yaml's `tsconfig` asks for; the language host that is built here ignores that.
      ...(start === "as configured" && { PULUMI_NODEJS_TSCONFIG_PATH: "tsconfig.pulumi.json" }),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    });
    try {
      await stack.#init(values);
    } catch (error) {
      stack.close();
      throw error;
    }
    return stack;
  }

  get path(): string {
    return this.environment.PATH as string;
  }

  /** @param directory of another program, whose stack prod is in the same backend */
  async run(
    command: string[],
    environment: Record<string, string> = {},
    directory = this.directory,
  ): Promise<Result> {
    return attempt(
      this.pulumi,
      [...command, "--stack=prod", "--cwd", directory, "--non-interactive", "--color=never"],
      { env: { ...this.environment, ...environment } },
    );
  }

  /** @throws Error with all of its output when the command fails */
  async mustRun(command: string[], environment?: Record<string, string>): Promise<void> {
    const { status, output } = await this.run(command, environment);
    if (status !== 0) throw new Error(`pulumi ${command[0]} failed:\n${output}`);
  }

  /** Lays values over the stack's configuration. @returns what puts back the one before */
  edit(values: Values): () => void {
    const file = join(this.directory, "Pulumi.prod.yaml");
    const before = readFileSync(file, "utf8");
    const whole = parse(before);
    for (const [key, value] of Object.entries(values)) overlay(whole.config, key, value);
    writeFileSync(file, stringify(whole));
    return () => writeFileSync(file, before);
  }

  close(): void {
    this.recorder.stop();
    rmSync(this.directory, { recursive: true });
  }

  async #init(values: "placeholders" | "as committed"): Promise<void> {
    const file = join(this.directory, "Pulumi.prod.yaml");
    const committed = readFileSync(file, "utf8");
    if (values === "placeholders") rmSync(file);
    await this.mustRun(["stack", "init", "--secrets-provider=passphrase"]);
    if (values === "as committed") return;
    const assignments = Object.entries(secretValues).flatMap(([key, value]) => [
      "--secret",
      `${key}=${value}`,
    ]);
    await this.mustRun(["config", "set-all", ...assignments]);
    const own = parse(readFileSync(file, "utf8"));
    const config = { ...withPlaceholders("prod", parse(committed).config), ...own.config };
    writeFileSync(file, stringify({ ...own, config }));
  }
}

function copyProgram(directory: string, start: "as configured" | "type-checked"): void {
  const files = readdirSync(repository).filter((file) => /\.(ts|json|yaml)$/.test(file));
  for (const file of files) copyFileSync(join(repository, file), join(directory, file));
  for (const folder of ["config", "stack", "components", "docker/images"]) {
    cpSync(join(repository, folder), join(directory, folder), { recursive: true });
  }
  symlinkSync(join(repository, "node_modules"), join(directory, "node_modules"));
  if (start === "as configured") return;
  const project = parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8"));
  writeFileSync(join(directory, "Pulumi.yaml"), stringify({ ...project, runtime: "nodejs" }));
}
