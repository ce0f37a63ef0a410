import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { alertLog, describeTold, toldBy } from "./alerts";
import { autoscaled } from "./autoscaling";
import { fakeGpus } from "./cluster";
import { stopNode } from "./cluster/node";
import { downOnContext, statusOnContext, upOnContext } from "./context";
import { UserError } from "./errors";
import type { Outputs } from "./lastUp";
import { acquireLock } from "./lock";
import { followLogs, showLogs } from "./logs";
import { firstPicture, kubeconfig, state } from "./paths";
import { makePicture } from "./picture";
import { preflight } from "./preflight";
import { Progress } from "./progress";
import { interrupt, run } from "./run";
import { hostUrl } from "./services";
import { addCluster } from "./setup";
import { imageConfig, secrets } from "./stack";
import { addStack } from "./stackSteps";
import { describeStatus, readStatus, type Status, saveStatus } from "./status";
import { Steps } from "./steps";
import { ensureToolchain, type Toolchain } from "./toolchain";

const help = `npm run local                from a bare machine to a running stack and a first picture
npm run local -- status      what runs and where; --json for scripts
npm run local -- logs        what all pods of the stack say, as they say it
npm run local -- logs ID     what was said of a request (its X-Request-ID) or a task, in order
npm run local -- alerts      what somebody would have been told: each alert as it came and went
npm run local -- down        stop everything and leave the machine as it was; data is kept
npm run local -- reset       down, and forget all data; the built toolchain and images are kept

With --context NAME the first three mean the stack on the cluster of that kubeconfig context: kind,
k3d, minikube, Docker Desktop or any other (docs/clusters.md). down deletes it with its data.
  --registry HOST/PATH       where Docker pushes images and the nodes pull them; by default what the
                             cluster says (ConfigMap kube-public/local-registry-hosting)
  --namespace NAME           that the stack makes for itself; by default image-service
  --fake-gpus                nodes without GPUs claim some; the tiny model draws on the CPU
  --pod-network CIDR         of the pods, and
  --cluster-dns HOST         of the DNS Service, where they can't be read from the cluster

Without it, runs a Kubernetes cluster in namespaces of its own on this machine (Linux, root, 8 GB of
memory, 30 GB of disk) and this repository's Pulumi program on it. A run that was cut off
goes on from where it was; a run with everything up only checks and mends.
  --autoscale                as many workers as there is work, from none, by KEDA, which is built
                             once: ten more minutes

State: $IMAGE_SERVICE_STATE or /var/lib/image-service (without root ~/.local/state/image-service)
Cache: $IMAGE_SERVICE_CACHE or ~/.cache/image-service`;

const quick = { seconds: 0.1, cpuSeconds: 0.1 };

async function up(autoscale: boolean): Promise<void> {
  preflight();
  acquireLock();
  const steps = new Steps();
  const progress = new Progress();
  const { toolchain, images, controlPlane, cluster } = addCluster(steps, { autoscale });
  const values = steps.add("values", quick, [images], async (_, references) => {
    writeFileSync(join(state, "images.json"), JSON.stringify(references, null, 2));
    const scaled = autoscale ? autoscaled(fakeGpus) : {};
    return { kubeconfig, images: imageConfig(references), ...scaled };
  });
  const stack = addStack(steps, progress, "local", toolchain, values, [controlPlane]);
  steps.add(
    "picture",
    { seconds: 3, cpuSeconds: 3 },
    [stack, cluster],
    (report, { endpoint, namespace }) => {
      report("drawing");
      const kubectl = `kubectl --kubeconfig ${kubeconfig} --namespace ${namespace}`;
      return makePicture(endpoint as string, secrets().apiSecret, firstPicture, kubectl);
    },
  );
  await steps.run(progress);
  const outputs = stack.value as Outputs;
  const url = (output: string) => {
    const inCluster = outputs[output] as string;
    return inCluster && hostUrl(toolchain.value as Toolchain, inCluster);
  };
  const [prometheus, logs, s3] = await Promise.all([
    url("prometheus"),
    url("logs"),
    url("objectStore"),
  ]);
  saveStatus({
    endpoint: outputs.endpoint as string,
    apiKey: secrets().apiSecret,
    kubeconfig,
    namespace: outputs.namespace as string,
    prometheus,
    logs,
    s3,
    phases: progress.phases,
  });
  console.log("more: npm run local -- status");
  console.log(`picture: ${relative(process.cwd(), firstPicture)}`);
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

function running(): Status {
  const current = readStatus();
  if (current?.running) return current;
  throw new UserError("the local stack does not run", "start it with: npm run local");
}

async function alerts(): Promise<void> {
  running();
  const { kubectl } = await ensureToolchain(() => {}, ["kubectl"]);
  console.log(
    describeTold(toldBy(await run(kubectl, [`--kubeconfig=${kubeconfig}`, ...alertLog]))),
  );
}

async function logs([id]: string[]): Promise<void> {
  const { logs } = running();
  if (!logs) {
    throw new UserError(
      "the local stack has no log store: image-service:logs.enabled is false",
      "set it to true in Pulumi.local.yaml, then: npm run local",
    );
  }
  if (id === undefined) await followLogs(logs);
  else await showLogs(logs, id);
}

type Commands = Record<string, () => void | Promise<void>>;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      context: { type: "string" },
      registry: { type: "string" },
      namespace: { type: "string" },
      "fake-gpus": { type: "boolean" },
      "pod-network": { type: "string" },
      "cluster-dns": { type: "string" },
      help: { type: "boolean", short: "h" },
      json: { type: "boolean" },
      autoscale: { type: "boolean" },
    },
  });
  if (values.help) return console.log(help);
  const { context, json = false, autoscale = false, ...options } = values;
  const [command = "up", ...rest] = positionals;
  const onMachine: Commands = {
    up: () => up(autoscale),
    status: () => status(json),
    logs: () => logs(rest),
    alerts,
    down,
    reset,
  };
  const onContext = (name: string): Commands => ({
    up: () =>
      upOnContext(name, {
        registry: options.registry,
        namespace: options.namespace,
        fakeGpus: options["fake-gpus"] === true,
        podNetwork: options["pod-network"],
        clusterDns: options["cluster-dns"],
      }),
    status: () => statusOnContext(name, json),
    down: () => downOnContext(name),
  });
  const commands = context === undefined ? onMachine : onContext(context);
  const chosen = commands[command];
  if (!chosen || rest.length > (command === "logs" ? 1 : 0)) {
    throw new UserError(
      `unknown command${context === undefined ? "" : " with --context"}: ${positionals.join(" ")}`,
      `one of: ${Object.keys(commands).join(", ")}; see npm run local -- --help`,
    );
  }
  const [stray] = Object.keys(options);
  if (stray !== undefined && (context === undefined || command !== "up")) {
    throw new UserError(
      `--${stray} is of use only where a stack is brought up with --context`,
      "see npm run local -- --help",
    );
  }
  if (autoscale && (context !== undefined || command !== "up")) {
    throw new UserError(
      "--autoscale is of use only where the local stack is brought up on this machine",
      "on a cluster of yours install KEDA, and set workers.autoscaling: docs/reference/scaling.md",
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
    error instanceof UserError || isUsageError(error)
      ? `\nerror: ${error.message}\nfix:   ${error instanceof UserError ? error.fix : "see npm run local -- --help"}`
      : error,
  );
  process.exitCode = 1;
});

/** Of `parseArgs`: an option that is unknown, or lacks its value. */
function isUsageError(error: NodeJS.ErrnoException): boolean {
  return error.code?.startsWith("ERR_PARSE_ARGS") ?? false;
}
