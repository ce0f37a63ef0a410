import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  PolicyV1Api,
  type V1Deployment,
  V1MicroTime,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { kubeconfig } from "../../local/paths";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";

// What the real scheduler and the real budget make of so many workers. The nodes are objects
// alone: no kubelet is behind them, and no pod of theirs runs.

const namespace = "image-service-many-nodes";
const zones = ["a", "b", "c"];
const workers = 150;
const labelSelector = "image-service/test=many-nodes";
const nodes = Array.from({ length: 500 }, (_, at) => ({
  name: `many-${at}`,
  zone: zones[at % zones.length] as string,
}));

const client = new KubeConfig();
let core: CoreV1Api;
let renewing: NodeJS.Timeout;

/** So many requests at a time. */
async function each<Item>(items: Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const next = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, next));
}

/** Of the elastic stack, whose workers follow their work. */
function declared(name: string): KubernetesObject {
  const object = plain(accepted("elastic")[name]?.inputs) as Props;
  return { ...object, metadata: { ...object.metadata, namespace } } as KubernetesObject;
}

/** With what a kubelet that has two GPUs says of itself. */
function node(name: string, zone: string): V1Node {
  const room = { cpu: "16", memory: "64Gi", pods: "110", "nvidia.com/gpu": "2" };
  const now = new Date();
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        ...Object.fromEntries([labelSelector.split("=")]),
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": zone,
        "karpenter.sh/capacity-type": "spot",
      },
    },
    spec: { taints: [{ key: "nvidia.com/gpu", value: "true", effect: "NoSchedule" }] },
    status: {
      capacity: room,
      allocatable: room,
      conditions: [
        {
          ...{ type: "Ready", status: "True", reason: "KubeletReady" },
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  };
}

async function workersBound(): Promise<V1Pod[]> {
  const { items } = await core.listNamespacedPod({ namespace });
  return items.filter(({ spec }) => spec?.nodeName !== undefined);
}

beforeAll(async () => {
  client.loadFromFile(kubeconfig);
  core = client.makeApiClient(CoreV1Api);
  await each(nodes, ({ name, zone }) => core.createNode({ body: node(name, zone) }));
  const objects = KubernetesObjectApi.makeApiClient(client);
  // Else the cluster takes them for lost within a minute.
  const renew = () =>
    each(nodes, ({ name }) =>
      objects.patch(
        {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name, namespace: "kube-node-lease" },
          spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new V1MicroTime() },
        } as KubernetesObject,
        ...([undefined, undefined, "test", true, PatchStrategy.ServerSideApply] as const),
      ),
    );
  await renew();
  renewing = setInterval(() => renew().catch(() => {}), 10_000);
  // A new node takes no pod until the cluster has seen that it is ready; the first ones took several.
  const open = async () =>
    (await core.listNode({ labelSelector })).items.every(
      ({ spec }) => !spec?.taints?.some(({ key }) => key.startsWith("node.kubernetes.io/")),
    );
  await vi.waitUntil(open, { timeout: 60_000, interval: 500 });

  const deployment = declared("aigc-workers-server") as V1Deployment;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await objects.create(declared("aigc-workers-identity"));
  await objects.create(declared("aigc-workers-budget"));
  await objects.create({
    ...deployment,
    spec: { ...deployment.spec, replicas: workers },
  } as KubernetesObject);
});

afterAll(async () => {
  clearInterval(renewing);
  await client.makeApiClient(AppsV1Api).deleteCollectionNamespacedDeployment({ namespace });
  await core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 0 });
  await core.deleteCollectionNode({ labelSelector });
  await core.deleteNamespace({ name: namespace }).catch(() => {}); // a set-up that failed has none
});

test("so many workers find their nodes, each one of its own, in all zones alike", async () => {
  await expect
    .poll(async () => (await workersBound()).length, { timeout: 180_000, interval: 1_000 })
    .toBe(workers);
  const taken = (await workersBound()).map(({ spec }) => spec?.nodeName as string);
  expect(new Set(taken).size).toBe(workers);
  const byZone = zones.map(
    (zone) => nodes.filter((it) => it.zone === zone && taken.includes(it.name)).length,
  );
  // The scheduler looks at a part of so many nodes for each pod.
  for (const count of byZone) expect(count).toBeGreaterThan((0.9 * workers) / zones.length);
});

test("drained nodes take a tenth of the workers at once, and not one more", async () => {
  const ready = { type: "Ready", status: "True", lastTransitionTime: new Date() };
  await each(await workersBound(), ({ metadata, ...pod }) =>
    core.replaceNamespacedPodStatus({
      namespace,
      name: metadata?.name as string,
      body: { ...pod, metadata, status: { ...pod.status, phase: "Running", conditions: [ready] } },
    }),
  );
  const policy = client.makeApiClient(PolicyV1Api);
  const allowed = async () =>
    (await policy.readNamespacedPodDisruptionBudget({ namespace, name: "aigc-workers" })).status
      ?.disruptionsAllowed;
  await expect.poll(allowed, { timeout: 60_000, interval: 500 }).toBe(workers / 10);
  const refused: number[] = [];
  await each((await workersBound()).slice(0, workers / 10 + 1), async ({ metadata }) => {
    const name = metadata?.name as string;
    await core
      .createNamespacedPodEviction({ namespace, name, body: { metadata: { name, namespace } } })
      .catch(({ code }) => refused.push(code));
  });
  expect(refused).toEqual([429]);
});
