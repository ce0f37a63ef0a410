import { UserError } from "../errors";
import type { Node } from "./cluster";
import type { Kubectl } from "./kubectl";

const gpu = "nvidia.com/gpu";
/** Marks nodes whose GPUs we made up, so that `down` finds them. */
const label = "image-service/fake-gpus";
/** Two workers, and as many while others replace them. */
const count = "4";

/**
 * Each worker asks for a GPU. Where no node has any, the nodes may claim some: the tiny model draws
 * on the CPU, and what is declared stays what production declares.
 * https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/
 */
export async function ensureGpus(
  kubectl: Kubectl,
  nodes: readonly Node[],
  fake: boolean,
): Promise<void> {
  if (nodes.some(({ status }) => Number(status.capacity[gpu] ?? 0) > 0)) return;
  if (!fake) {
    throw new UserError(
      `no node of context ${kubectl.context} has ${gpu}, and each worker asks for one`,
      "let its nodes claim some that they don't have, the tiny model draws on the CPU: --fake-gpus; or install NVIDIA's device plugin",
    );
  }
  // All that take pods: the volume of the weights binds the workers to the node where it lies.
  for (const name of nodes.filter(takesPods).map(({ metadata }) => metadata.name)) {
    await kubectl.run("label", "node", name, `${label}=true`, "--overwrite");
    await patch(kubectl, name, { op: "add", value: count });
  }
}

/** Takes back what `ensureGpus` gave. */
export async function removeFakeGpus(kubectl: Kubectl): Promise<void> {
  for (const { metadata, status } of await kubectl.list<Node>("nodes", `--selector=${label}`)) {
    if (gpu in status.capacity) await patch(kubectl, metadata.name, { op: "remove" });
    await kubectl.run("label", "node", metadata.name, `${label}-`);
  }
}

const patch = (kubectl: Kubectl, name: string, change: { op: string; value?: string }) =>
  kubectl.run(
    ...["patch", "node", name, "--subresource=status", "--type=json"],
    `--patch=${JSON.stringify([{ path: "/status/capacity/nvidia.com~1gpu", ...change }])}`,
  );

const takesPods = ({ spec }: Node) =>
  !spec.unschedulable && !spec.taints?.some(({ effect }) => effect !== "PreferNoSchedule");
