import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labels, ports } from "../../components/names";
import { addresses } from "../../local/cluster/addresses";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { flowsOf, type OpenFlow } from "../golden/flows";
import { accepted } from "../golden/stacks";
import { localCluster } from "./cluster";

// On the stack of `npm run local`: what the policies list can be connected, and nothing else.

const namespace = "image-service";
const strangers = "image-service-strangers";
const stray = "stray";
const stranger = "stranger";
const outside = "outside";

const flows = flowsOf(accepted("local"));

/** APP:PORT → ADDRESS/PORT of everything that listens. */
const targets = new Map<string, string>();
let kubectl: string;
let server: Server;

const cluster = (args: string[], input?: string) =>
  run(kubectl, [`--kubeconfig=${kubeconfig}`, ...args], { input });

beforeAll(async () => {
  const { toolchain, images } = await localCluster();
  kubectl = toolchain.kubectl;
  await cluster(
    ["apply", "-f", "-"],
    [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: strangers } },
      idlePod(stray, namespace, images.api),
      idlePod(stranger, strangers, images.api),
    ]
      .map((object) => JSON.stringify(object))
      .join("\n---\n"),
  );
  await cluster(["wait", "-n", namespace, "--for=condition=Ready", `pod/${stray}`]);
  await cluster(["wait", "-n", strangers, "--for=condition=Ready", `pod/${stranger}`]);

  server = createServer((socket) => socket.destroy()).listen(0, addresses.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  targets.set(outside, `${addresses.host}/${port}`);
  const running = ["get", "pods", "-n", namespace, "--field-selector=status.phase=Running"];
  const { items } = JSON.parse(await cluster([...running, "-o", "json"])) as {
    items: { metadata: { labels: { app: string } }; status: { podIP: string } }[];
  };
  for (const { metadata, status } of items) {
    const { app } = metadata.labels;
    for (const port of flows.filter(({ to }) => to === app).flatMap(({ ports }) => ports)) {
      targets.set(`${app}:${port}`, `${status.podIP}/${port}`);
    }
  }
});

afterAll(async () => {
  server?.close();
  const gone = ["--ignore-not-found", "--now"];
  await cluster(["delete", "pod", stray, "-n", namespace, ...gone]);
  await cluster(["delete", "namespace", strangers, ...gone]);
});

/** A pod that Pod Security admits and that only waits. */
const idlePod = (name: string, namespace: string, image: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: labels(name) },
  spec: {
    terminationGracePeriodSeconds: 0,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65534,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name,
        image,
        command: ["sleep", "infinity"],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
  },
});

/** Tries to connect from a pod of the app to every target but its own. @returns those that answered */
async function reached(app: string): Promise<string[]> {
  const where = app === stranger ? strangers : namespace;
  const pods = ["get", "pods", "-n", where, "-l", `app=${app}`, "-o", "name"];
  const [pod] = (await cluster(pods)).split("\n");
  // No policy stands between a pod and itself.
  const tried = [...targets].filter(([target]) => !target.startsWith(`${app}:`));
  const tries = tried.map(
    ([target, address]) =>
      `{ timeout 3 bash -c "exec 3<>/dev/tcp/${address}" && echo ${target}; } 2>/dev/null &`,
  );
  const script = [...tries, "wait"].join("\n");
  const answered = await cluster(["exec", "-n", where, pod as string, "--", "bash", "-c", script]);
  return answered.trim().split("\n").filter(Boolean).sort();
}

/** What the flows list, of what runs here. */
const listed = (includes: (flow: OpenFlow) => boolean): string[] =>
  [...targets.keys()]
    .filter((target) =>
      flows.some(
        (flow) => includes(flow) && flow.ports.some((port) => `${flow.to}:${port}` === target),
      ),
    )
    .sort();

test.each(["api", "aigc-worker", "nginx", "prometheus", "postgres", "redis", "object-store"])(
  "%s reaches what its flows list, and nothing else in the stack or outside of it",
  async (app) => {
    const own = listed(({ from, to }) => from === app && to !== app);
    expect(await reached(app)).toEqual(own);
  },
);

test("a pod of the namespace that no flow names reaches nothing", async () => {
  await expect.poll(() => reached(stray), { timeout: 30_000 }).toEqual([]);
});

test("a pod of another namespace reaches nginx and the world, and nothing behind nginx", async () => {
  const open = listed(({ from }) => from === "pods");
  expect(open).toEqual([`nginx:${ports.nginx}`]);
  await expect
    .poll(() => reached(stranger), { timeout: 30_000 })
    .toEqual([...open, outside].sort());
});
