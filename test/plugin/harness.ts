import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import * as kubernetes from "@pulumi/kubernetes";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  PulumiCommand,
  type PulumiFn,
  type Stack,
} from "@pulumi/pulumi/automation";
import * as pulumi from "@pulumi/pulumi/package.json";
import { SemVer } from "semver";

const repository = join(__dirname, "../..");

export const kubeconfig = process.env.KUBECONFIG ?? "/var/lib/image-service/kubeconfig";

/** A reference to one of the images that the cluster's node has. */
export function image(name: string): string {
  const images = JSON.parse(readFileSync("/var/lib/image-service/images.json", "utf8"));
  return images[name] as string;
}

/** What one run of the engine did and said. */
export interface Run {
  /** How many resources were created, updated, …; the stack itself and the provider left out. */
  changes: OpMap;
  /** Every message, also those that the engine shows for a moment only. */
  messages: string[];
  outputs: Record<string, unknown>;
  /** The engine's output of a run that failed. */
  error?: string;
}

/** The real engine with the stand-in attached, and a stack of its own. */
export class Engine {
  readonly #directory = mkdtempSync(join(tmpdir(), "plugin-test-"));
  #plugin!: ChildProcess;
  #stack!: Stack;

  static async start(name: string): Promise<Engine> {
    const engine = new Engine();
    const [plugin, port] = await startPlugin();
    engine.#plugin = plugin;
    if (process.env.PULUMI_BIN_DIR) {
      process.env.PATH = process.env.PULUMI_BIN_DIR + delimiter + process.env.PATH;
    }
    // A pulumi built from its Go module may carry no version, and the Automation API asks for one.
    const pulumiCommand = await PulumiCommand.get({ skipVersionCheck: true });
    Object.assign(pulumiCommand, { version: new SemVer(pulumi.version) });
    engine.#stack = await LocalWorkspace.createStack(
      { stackName: name, projectName: "plugin-test", program: async () => {} },
      {
        pulumiCommand,
        envVars: {
          PULUMI_BACKEND_URL: `file://${engine.#directory}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          PULUMI_DEBUG_PROVIDERS: `kubernetes:${port}`,
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
    return engine;
  }

  get stack(): Stack {
    return this.#stack;
  }

  /** A run that may fail. */
  async try(operation: "up" | "preview" | "refresh" | "destroy", program?: PulumiFn): Promise<Run> {
    const messages: string[] = [];
    const events: EngineEvent[] = [];
    const onEvent = (event: EngineEvent) => {
      events.push(event);
      const { severity, message } = event.diagnosticEvent ?? {};
      if (message && severity !== "debug") messages.push(message.trim());
    };
    if (program) this.#stack.workspace.program = program;
    const run: Run = { changes: {}, messages, outputs: {} };
    try {
      await this.#stack[operation]({ onEvent });
    } catch (error) {
      run.error = (error as Error).message;
    }
    for (const { resOutputsEvent } of events) {
      const { op, type } = resOutputsEvent?.metadata ?? {};
      if (op && type && !type.startsWith("pulumi:")) run.changes[op] = (run.changes[op] ?? 0) + 1;
    }
    const outputs = await this.#stack.outputs();
    run.outputs = Object.fromEntries(
      Object.entries(outputs).map(([key, { value }]) => [key, value]),
    );
    return run;
  }

  /** A run that must succeed. */
  async run(operation: "up" | "preview" | "refresh" | "destroy", program?: PulumiFn): Promise<Run> {
    const run = await this.try(operation, program);
    if (run.error) throw new Error(run.error);
    return run;
  }

  /** Destroys what is left and ends the plugin. */
  async stop(): Promise<void> {
    await this.#stack.destroy({ remove: true });
    this.#plugin.kill();
    await once(this.#plugin, "exit");
    rmSync(this.#directory, { recursive: true });
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
