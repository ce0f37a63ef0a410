import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureCluster, ensureRuntime } from "./cluster";
import { stopNode } from "./cluster/node";
import { UserError } from "./errors";
import { ensureImages, type Images, loadImages } from "./images";
import { acquireLock } from "./lock";
import { ensurePackages } from "./packages";
import { kubeconfig, repository, state } from "./paths";
import { makePicture } from "./picture";
import { preflight } from "./preflight";
import { Progress } from "./progress";
import { interrupt } from "./run";
import { hostUrl } from "./services";
import { type ConfigValues, imageConfig, LocalStack, secrets } from "./stack";
import { describeStatus, readStatus, saveStatus } from "./status";
import { ensureToolchain, type Toolchain } from "./toolchain";

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

async function up(): Promise<void> {
  preflight();
  acquireLock();
  const progress = new Progress(7);
  let toolchain = {} as Toolchain;
  let images = {} as Images;
  await progress.phase("packages", 40, () => ensurePackages());
  await progress.phase("toolchain", 800, async (report) => {
    const built = await ensureToolchain(report);
    toolchain = built.toolchain;
    return built.cached;
  });
  await progress.phase("images", 480, async (report) => {
    const built = await ensureImages(toolchain, report);
    images = built.images;
    return built.cached;
  });
  await progress.phase("node", 60, async (report) => {
    const running = await ensureRuntime(toolchain, images.references.pause);
    writeFileSync(join(state, "images.json"), JSON.stringify(images.references, null, 2));
    return (await loadImages(toolchain, images, report)) && running;
  });
  await progress.phase("cluster", 15, (report) =>
    ensureCluster(toolchain, images.references, report),
  );
  const outputs = await stackAndPicture(progress, toolchain, {
    kubeconfig,
    images: imageConfig(images.references),
  });
  saveStatus({
    endpoint: outputs.endpoint as string,
    apiKey: secrets().apiSecret,
    kubeconfig,
    namespace: outputs.namespace as string,
    prometheus: await hostUrl(toolchain, outputs.prometheus as string),
    s3: await hostUrl(toolchain, outputs.objectStore as string),
    phases: progress.phases,
  });
  console.log("more: npm run local -- status");
  console.log(`picture: ${relative(process.cwd(), picture)}`);
}

/** The same program on a cluster that is there already: no node, no images of ours. */
async function upOnContext(context: string): Promise<void> {
  acquireLock();
  const progress = new Progress(3);
  let toolchain = {} as Toolchain;
  await progress.phase("toolchain", 150, async (report) => {
    const built = await ensureToolchain(report, ["pulumi", "pulumi-language-nodejs"]);
    toolchain = built.toolchain;
    return built.cached;
  });
  await stackAndPicture(progress, toolchain, { context });
  console.log(`picture: ${relative(process.cwd(), picture)}`);
}

async function stackAndPicture(
  progress: Progress,
  toolchain: Toolchain,
  values: ConfigValues,
): Promise<Record<string, string>> {
  let outputs: Record<string, string> = {};
  await progress.phase("stack", 60, async (report) => {
    const stack = await LocalStack.open("local", toolchain, values);
    try {
      if (stack.usesStandIn) report("with the stand-in for the official Kubernetes plugin");
      const unchanged = await stack.up(report);
      outputs = (await stack.outputs()) as Record<string, string>;
      return unchanged;
    } finally {
      stack.close();
    }
  });
  await progress.phase("picture", 10, async () => {
    await makePicture(outputs.endpoint as string, secrets().apiSecret, picture);
    return false;
  });
  return outputs;
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
  if (interrupt.signal.aborted) {
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
