import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import * as kubernetes from "@pulumi/kubernetes";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpType,
  PulumiCommand,
  type PulumiFn,
  type Stack,
  type UpOptions,
} from "@pulumi/pulumi/automation";
import { version } from "@pulumi/pulumi/package.json";
import { SemVer } from "semver";
import { kubeconfig, repository } from "../../local/paths";
import { localCluster } from "../e2e/cluster";

const project = "plugin-test";

type Operation = "up" | "preview" | "refresh" | "destroy";

/** What one run of the engine did and said. */
export interface Run {
  /** What was done to each resource, by its name, in the order in which it was done. */
  steps: { name: string; op: OpType }[];
  /** Every message, also those that the engine shows for a moment only. */
  messages: string[];
  outputs: Record<string, unknown>;
  /** Its error messages, when it failed. */
  error?: string;
}

/** The real engine with the stand-in attached, and a stack of its own. */
export class Engine {
  private constructor(
    readonly stack: Stack,
    private readonly plugin: ChildProcess,
    private readonly backend: string,
    private readonly kubectlPath: string,
    private readonly images: Record<string, string>,
  ) {}

  static async start(name: string): Promise<Engine> {
    const { toolchain, images } = await localCluster();
    process.env.PATH = dirname(toolchain.pulumi) + delimiter + process.env.PATH;
    // A pulumi built from its Go module may carry no version, and the Automation API asks for one.
    const pulumiCommand = await PulumiCommand.get({ skipVersionCheck: true });
    Object.assign(pulumiCommand, { version: new SemVer(version) });
    const [plugin, port] = await startPlugin();
    const backend = mkdtempSync(join(tmpdir(), "plugin-test-"));
    const stack = await LocalWorkspace.createStack(
      { stackName: name, projectName: project, program: async () => {} },
      {
        pulumiCommand,
        envVars: {
          PULUMI_BACKEND_URL: `file://${backend}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          PULUMI_DEBUG_PROVIDERS: `kubernetes:${port}`,
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
    return new Engine(stack, plugin, backend, toolchain.kubectl, images);
  }

  /** A reference to one of the images that the cluster's node has. */
  image(name: string): string {
    const reference = this.images[name];
    if (!reference) throw new Error(`the node has no image ${name}`);
    return reference;
  }

  /** The cluster as someone else sees and changes it. */
  kubectl(...args: string[]): string {
    return execFileSync(this.kubectlPath, ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
    });
  }

  /** The stack's state as it lies in the backend, secrets encrypted. */
  state(): string {
    const file = join(this.backend, ".pulumi/stacks", project, `${this.stack.name}.json`);
    return readFileSync(file, "utf8");
  }

  /** A run that may fail. */
  async attempt(operation: Operation, program?: PulumiFn, options: UpOptions = {}): Promise<Run> {
    const run: Run = { steps: [], messages: [], outputs: {} };
    const errors: string[] = [];
    const onEvent = ({ diagnosticEvent, resOutputsEvent }: EngineEvent) => {
      const severities: unknown[] = ["info", "warning", "error"];
      if (diagnosticEvent && severities.includes(diagnosticEvent.severity)) {
        run.messages.push(diagnosticEvent.message.trim());
        if (diagnosticEvent.severity === "error") errors.push(diagnosticEvent.message);
      }
      const { op, type = "pulumi:", urn = "" } = resOutputsEvent?.metadata ?? {};
      if (op && !type.startsWith("pulumi:")) {
        run.steps.push({ name: urn.split("::").at(-1) as string, op });
      }
    };
    if (program) this.stack.workspace.program = program;
    try {
      await this.stack[operation]({ onEvent, ...options });
    } catch (error) {
      run.error = errors.join("\n") || (error as Error).message;
    }
    for (const [key, { value }] of Object.entries(await this.stack.outputs())) {
      run.outputs[key] = value;
    }
    return run;
  }

  /** A run that must succeed. */
  async run(operation: Operation, program?: PulumiFn): Promise<Run> {
    const run = await this.attempt(operation, program);
    if (run.error) throw new Error(run.error);
    return run;
  }

  /** Destroys what is left and ends the plugin. */
  async stop(): Promise<void> {
    try {
      await this.stack.destroy({ remove: true });
    } finally {
      this.plugin.kill();
      await once(this.plugin, "exit");
      rmSync(this.backend, { recursive: true });
    }
  }
}

/** A provider for the cluster under test. */
export function provider(options: kubernetes.ProviderArgs = {}): kubernetes.Provider {
  return new kubernetes.Provider("cluster", { kubeconfig, ...options });
}

async function startPlugin(): Promise<[ChildProcess, string]> {
  const plugin = spawn(
    process.execPath,
    ["--import", "tsx", join(repository, "local/kubernetes-plugin/main.ts")],
    { cwd: repository, stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: plugin.stdout as NodeJS.ReadableStream });
  const [port] = (await once(lines, "line")) as [string];
  return [plugin, port];
}
