import { relative } from "node:path";
import { UserError } from "../errors";
import { acquireLock } from "../lock";
import { firstPicture } from "../paths";
import { makePicture } from "../picture";
import { Progress } from "../progress";
import { addToolchain, gather } from "../setup";
import { LocalStack, secrets } from "../stack";
import { addStack } from "../stackSteps";
import { type Step, Steps } from "../steps";
import type { Toolchain } from "../toolchain";
import { builds } from "../toolchain/builds";
import { type Named, readCluster } from "./cluster";
import { endpoint, forwardArgs, forwarded } from "./forward";
import { ensureGpus, removeFakeGpus } from "./gpus";
import { type ContextImage, costOf, publish, sources } from "./images";
import { Kubectl, requireProgram } from "./kubectl";
import {
  type ContextRecord,
  findRecord,
  readRecord,
  removeRecord,
  saveRecord,
  stackName,
} from "./record";
import { findRegistry } from "./registry";

/** What `npm run local -- --context NAME` may be told. */
export interface ContextOptions extends Named {
  /** Host and path that this machine pushes to and the nodes pull from. */
  registry?: string;
  namespace?: string;
  /** Nodes without GPUs claim some. */
  fakeGpus: boolean;
}

const quick = { seconds: 0.5, cpuSeconds: 0.5 };

/** The same program and picture on a cluster that is there already, with images that Docker makes. */
export async function upOnContext(context: string, options: ContextOptions): Promise<void> {
  const { namespace = "image-service" } = options;
  const kubectl = await Kubectl.on(context);
  await requireProgram("docker", ["version"], "https://docs.docker.com/get-started/get-docker/");
  acquireLock();
  await claimNamespace(kubectl, namespace);
  const record = recordOf(kubectl, namespace);

  const steps = new Steps();
  const progress = new Progress();
  const toolchain = addPulumi(steps);
  const cluster = steps.add("cluster", quick, [], async () => {
    const facts = await readCluster(kubectl, options);
    const registry = await findRegistry(kubectl, options.registry);
    await ensureGpus(kubectl, facts.nodes, options.fakeGpus);
    saveRecord(record);
    return { ...facts, registry };
  });
  const names = Object.keys(sources) as ContextImage[];
  const images = names.map((name) =>
    steps.add(`image ${name}`, costOf(sources[name]), [cluster], (report, facts) =>
      publish(name, facts.registry, facts.platform, report),
    ),
  );
  const values = steps.add(
    "values",
    quick,
    [cluster, ...images],
    async (_, facts, ...published) => ({
      context,
      namespace,
      endpoint,
      clusterDns: facts.clusterDns,
      podNetwork: facts.podNetwork,
      operatorNetworks: [],
      nginx: { replicas: 1 },
      // Nobody is there to be told.
      monitoring: { storage: "1Gi", retention: "2d", alertmanager: false },
      // What reads them is root on the nodes, which are somebody's.
      logs: { enabled: false },
      images: Object.fromEntries(names.map((name, index) => [name, published[index]])),
    }),
  );
  const stack = addStack(steps, progress, stackName(record), toolchain, values, []);
  steps.add("picture", { seconds: 5, cpuSeconds: 3 }, [stack], (report) => {
    report("drawing");
    return forwarded(kubectl, namespace, () =>
      makePicture(endpoint, record.apiKey, firstPicture, record.kubectl),
    );
  });
  await steps.run(progress);
  console.log(`reach it: ${record.forward}`);
  console.log(`more: npm run local -- status --context ${context}`);
  console.log(`picture: ${relative(process.cwd(), firstPicture)}`);
}

/** Takes away the stack of a context with its data, and what `up` changed of the nodes. */
export async function downOnContext(context: string): Promise<void> {
  const record = readRecord(context);
  const kubectl = await Kubectl.on(context);
  acquireLock();
  if (record.clusterId !== kubectl.clusterId) {
    console.log(`the cluster that context ${context} named has gone, and the stack with it`);
    return removeRecord(context);
  }
  const steps = new Steps();
  const toolchain = addPulumi(steps);
  const destroyed = steps.add(
    "destroy",
    { seconds: 40, cpuSeconds: 10 },
    [toolchain],
    async (report, programs) => {
      const stack = await LocalStack.open(stackName(record), programs, { context }, report);
      try {
        await stack.destroy(report);
      } finally {
        stack.close();
      }
    },
  );
  steps.add("nodes", quick, [destroyed], () => removeFakeGpus(kubectl));
  await steps.run(new Progress());
  removeRecord(context);
}

export async function statusOnContext(context: string, json: boolean): Promise<void> {
  const record = readRecord(context);
  if (json) return console.log(JSON.stringify(record));
  const kubectl = await Kubectl.on(context);
  const workloads = await kubectl.list<Workload>(
    ...["deployments,statefulsets", "--namespace", record.namespace],
  );
  console.log(describe(record, workloads));
}

export interface Workload {
  metadata: { name: string };
  spec: { replicas: number };
  status: { readyReplicas?: number };
}

export function describe(record: ContextRecord, workloads: readonly Workload[]): string {
  const parts = workloads.map(
    ({ metadata, spec, status }) =>
      `  ${(status.readyReplicas ?? 0) >= spec.replicas ? "up  " : "DOWN"} ${metadata.name}`,
  );
  return [
    `context     ${record.context}  (namespace ${record.namespace})`,
    ...parts,
    `reach it    ${record.forward}`,
    `endpoint    ${record.endpoint}`,
    `api key     ${record.apiKey}`,
    `kubectl     ${record.kubectl}`,
  ].join("\n");
}

const addPulumi = (steps: Steps): Step<Toolchain> =>
  gather(
    steps,
    addToolchain(
      steps,
      builds.filter(({ name }) => name.startsWith("pulumi")),
    ),
  );

/** What stands in a namespace that isn't ours would be taken over, and end with the stack. */
async function claimNamespace(kubectl: Kubectl, namespace: string): Promise<void> {
  const { context } = kubectl;
  const last = findRecord(context);
  const known = last?.clusterId === kubectl.clusterId ? last : undefined;
  if (known?.namespace === namespace) return;
  if (known) {
    throw new UserError(
      `the stack on context ${context} is in namespace ${known.namespace}`,
      `go on with it: --namespace ${known.namespace}; or take it down first: npm run local -- down --context ${context}`,
    );
  }
  const { status } = await kubectl.attempt("get", "namespace", namespace);
  if (status === 0) {
    throw new UserError(
      `context ${context} has a namespace ${namespace} that this machine's stack did not make`,
      "name one that is not there yet: --namespace NAME",
    );
  }
}

function recordOf(kubectl: Kubectl, namespace: string): ContextRecord {
  const command = (args: string[]) => ["kubectl", ...kubectl.args(args)].join(" ");
  return {
    context: kubectl.context,
    clusterId: kubectl.clusterId,
    namespace,
    endpoint,
    forward: command(forwardArgs(namespace)),
    kubectl: command(["--namespace", namespace]),
    apiKey: secrets().apiSecret,
  };
}
