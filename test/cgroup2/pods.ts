import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addresses } from "../../local/cluster/addresses";
import { kubeletHealthy, type Part, renderParts } from "../../local/cluster/parts";
import { nodeVar } from "../../local/paths";

/** Pods as files: an API server would take minutes of an emulated processor. */
const staticPods = "lib/kubelet/static-pods";
const readOnlyPort = 10255;

/** The node's kubelet, which takes pods from files too and tells their statuses without a client. */
export function standaloneKubelet(): Part {
  const kubelet = renderParts().find(({ name }) => name === "kubelet") as Part;
  const files = Object.fromEntries(
    Object.entries(kubelet.files ?? {}).map(([path, content]) =>
      path.endsWith("/kubelet.json")
        ? [
            path,
            JSON.stringify({
              ...JSON.parse(content),
              staticPodPath: join("/var", staticPods),
              readOnlyPort,
            }),
          ]
        : [path, content],
    ),
  );
  return { ...kubelet, files, ready: kubeletHealthy };
}

export interface Container {
  name: string;
  image: string;
  command: string[];
  resources?: { limits: Record<string, string> };
}

export function writePod(name: string, containers: Container[]): void {
  const directory = join(nodeVar, staticPods);
  mkdirSync(directory, { recursive: true });
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 0, containers },
  };
  writeFileSync(join(directory, `${name}.json`), JSON.stringify(pod));
}

export interface ContainerStatus {
  name: string;
  containerID?: string;
  state: { running?: object; terminated?: { reason: string; exitCode: number } };
}

interface PodList {
  /** null while there are none. */
  items: { metadata: { name: string }; status: { containerStatuses?: ContainerStatus[] } }[] | null;
}

/** Waits until a container of a pod is running, or has ended. */
export async function containerStatus(
  pod: string,
  container: string,
  state: "running" | "terminated",
): Promise<ContainerStatus> {
  const deadline = Date.now() + 240_000;
  let last: unknown;
  while (Date.now() < deadline) {
    const answer = await fetch(`http://${addresses.node}:${readOnlyPort}/pods`);
    const { items } = (await answer.json()) as PodList;
    // Kubelet appends the node's name to a static pod's.
    const found = items?.find(({ metadata }) => metadata.name.startsWith(`${pod}-`));
    last = found?.status;
    const status = found?.status.containerStatuses?.find(({ name }) => name === container);
    if (status?.state[state]) return status;
    await sleep(1_000);
  }
  throw new Error(`${container} of pod ${pod} is not ${state}: ${JSON.stringify(last)}`);
}
