import { cgroupProcesses } from "../../local/cluster/cgroups";
import { kubeconfig } from "../../local/paths";
import { run as command } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import { rounded } from "../figures";
import { type Process, processOf } from "./idle/processes";
import type { Figure } from "./main";

export const description =
  "what the local stack holds of memory when nobody asks it for anything, by component; it has to be up";

const megabyte = 1e6;
/** Since it was last asked for anything. */
const restSeconds = 60;

interface Pod {
  metadata: { uid: string; namespace: string; labels?: Record<string, string> };
}

export async function run(): Promise<Figure[]> {
  const { kubectl } = await ensureToolchain(() => {});
  const get = ["get", "pods", "--all-namespaces", "--output=json"];
  await new Promise((resolve) => setTimeout(resolve, restSeconds * 1_000));
  const { items } = JSON.parse(await command(kubectl, [`--kubeconfig=${kubeconfig}`, ...get])) as {
    items: Pod[];
  };
  const apps = new Map(
    items.map(({ metadata: { uid, namespace, labels } }) => [
      uid,
      `${namespace}/${labels?.app ?? labels?.["k8s-app"] ?? labels?.["app.kubernetes.io/name"] ?? "?"}`,
    ]),
  );
  const processes = cgroupProcesses().flatMap((pid) => processOf(pid) ?? []);
  const component = ({ pod, program }: Process) =>
    pod ? (apps.get(pod) ?? "a pod that has gone") : `node: ${program}`;
  const sums = new Map<string, number>();
  for (const each of processes) {
    const name = component(each);
    sums.set(name, (sums.get(name) ?? 0) + each.bytes);
  }
  const figure = (name: string, bytes: number, most?: number): Figure => ({
    figure: name,
    value: rounded(bytes / megabyte),
    unit: "MB",
    ...(most && { target: `<= ${most}`, missed: bytes / megabyte > most }),
  });
  const total = (of: (name: string) => boolean) =>
    [...sums].reduce((sum, [name, bytes]) => sum + (of(name) ? bytes : 0), 0);
  return [
    ...[...sums].toSorted(([, a], [, b]) => b - a).map(([name, bytes]) => figure(name, bytes)),
    figure(
      "log store and collector",
      total((name) => /\/(victoria-logs|vlagent)$/.test(name)),
      150,
    ),
    figure(
      "the whole local stack",
      total(() => true),
      2_500,
    ),
  ];
}
