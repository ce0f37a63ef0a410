import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { stopNode } from "./cluster/node";
import { UserError } from "./errors";
import { acquireLock } from "./lock";
import { kubeconfig, repository, state } from "./paths";
import { makePicture } from "./picture";
import { preflight } from "./preflight";
import { Progress } from "./progress";
import { interrupt } from "./run";
import { hostUrl } from "./services";
import { addCluster, addToolchain, gather } from "./setup";
import { type ConfigValues, imageConfig, LocalStack, secrets } from "./stack";
import { describeStatus, readStatus, saveStatus } from "./status";
import { type Step, Steps } from "./steps";
import type { Toolchain } from "./toolchain";
import { builds } from "./toolchain/builds";

type Outputs = Record<string, string>;

const help = `npm run local                from a bare machine to a running stack and a first picture
npm run local -- --context NAME
                             on the cluster of that kubeconfig context instead, with the images
                             and the endpoint that Pulumi.local.yaml names
npm run local -- status      what runs and where; --json for scripts
npm run local -- down        stop everything and leave the machine as it was; data is kept
npm run local -- reset       down, and forget all data; the built toolchain and images are kept

Runs a Kubernetes cluster in namespaces of its own on this machine (Linux, root, 8 GB of
memory, 25 GB of disk) and this repository's Pulumi program on it. A run that was cut off
goes on from where it was; a run with everything up only checks and mends.

State: $IMAGE_SERVICE_STATE or /var/lib/image-service
Cache: $IMAGE_SERVICE_CACHE or ~/.cache/image-service`;

const picture = join(repository, "out/first.png");
const quick = { seconds: 0.1, cpuSeconds: 0.1 };

async function up(): Promise<void> {
  preflight();
  acquireLock();
  const steps = new Steps();
  const progress = new Progress();
  const { toolchain, images, cluster } = addCluster(steps);
  const values = steps.add("values", quick, [images], async (_, references) => {
    writeFileSync(join(state, "images.json"), JSON.stringify(references, null, 2));
    return { kubeconfig, images: imageConfig(references) };
  });
  const stack = addStack(steps, progress, toolchain, values, [cluster]);
  await steps.run(progress);
  const outputs = stack.value as Outputs;
  const url = (output: string) => hostUrl(toolchain.value as Toolchain, outputs[output] as string);
  const [prometheus, s3] = await Promise.all([url("prometheus"), url("objectStore")]);
  saveStatus({
    endpoint: outputs.endpoint as string,
    apiKey: secrets().apiSecret,
    kubeconfig,
    namespace: outputs.namespace as string,
    prometheus,
    s3,
    phases: progress.phases,
  });
  console.log("more: npm run local -- status");
  console.log(`picture: ${relative(process.cwd(), picture)}`);
}

/** The same program on a cluster that is there already: no node, no images of ours. */
async function upOnContext(context: string): Promise<void> {
  acquireLock();
  const steps = new Steps();
  const progress = new Progress();
  const pulumi = builds.filter(({ name }) => name.startsWith("pulumi"));
  const toolchain = gather(steps, addToolchain(steps, pulumi));
  const values = steps.add("values", quick, [], async () => ({ context }));
  addStack(steps, progress, toolchain, values, []);
  await steps.run(progress);
  console.log(`picture: ${relative(process.cwd(), picture)}`);
}

/** Pulumi's own start beside the cluster's, then the stack, then a picture. */
function addStack(
  steps: Steps,
  progress: Progress,
  toolchain: Step<Toolchain>,
  values: Step<ConfigValues>,
  ready: Step<unknown>[],
): Step<Outputs> {
  const engine = steps.add(
    "engine",
    { seconds: 8, cpuSeconds: 4 },
    [toolchain, values],
    async (report, programs, config) => {
      const opened = await LocalStack.open("local", programs, config, report);
      if (opened.usesStandIn) progress.say("with the stand-in for the official Kubernetes plugin");
      return opened;
    },
  );
  const stack = steps.add(
    "stack",
    { seconds: 40, cpuSeconds: 50 },
    [engine, ...ready],
    async (report, opened) => {
      try {
        await opened.up(report);
        return (await opened.outputs()) as Outputs;
      } finally {
        opened.close();
      }
    },
  );
  steps.add("picture", { seconds: 3, cpuSeconds: 3 }, [stack], (report, outputs) => {
    report("drawing");
    return makePicture(outputs.endpoint as string, secrets().apiSecret, picture);
  });
  return stack;
}

async function down(): Promise<void> {
  acquireLock();
  await stopNode();
}

async function reset(): Promise<void> {
  await down();
  rmSync(state, { recursive: true, force: true });
}

function status(json: boolean): void {
  const current = readStatus();
  if (!json) console.log(describeStatus());
  else if (current) console.log(JSON.stringify(current));
  else throw new UserError("the local stack is not set up", "start it with: npm run local");
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      context: { type: "string" },
      help: { type: "boolean", short: "h" },
      json: { type: "boolean" },
    },
  });
  const [command = "up", ...rest] = positionals;
  const commands: Record<string, () => void | Promise<void>> = {
    up: () => (values.context === undefined ? up() : upOnContext(values.context)),
    status: () => status(values.json === true),
    down,
    reset,
  };
  if (values.help) return console.log(help);
  const chosen = commands[command];
  if (!chosen || rest.length > 0) {
    throw new UserError(
      `unknown command: ${positionals.join(" ")}`,
      `one of: ${Object.keys(commands).join(", ")}; see npm run local -- --help`,
    );
  }
  await chosen();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupt.abort());
}

main().catch((error: Error) => {
  if (interrupt.signal.reason?.name === "AbortError") {
    console.error("\ninterrupted; run npm run local again to go on from here");
    process.exitCode = 130;
    return;
  }
  console.error(
    error instanceof UserError || error.message.startsWith("Unknown option")
      ? `\nerror: ${error.message}\nfix:   ${error instanceof UserError ? error.fix : "see npm run local -- --help"}`
      : error,
  );
  process.exitCode = 1;
});
