import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { addresses } from "../../local/cluster/addresses";
import { findHolder } from "../../local/cluster/node";
import type { Node } from "../../local/context/cluster";
import { ensureGpus, removeFakeGpus } from "../../local/context/gpus";
import { Kubectl } from "../../local/context/kubectl";
import { firstPicture, kubeconfig, repository } from "../../local/paths";
import { attempt, run } from "../../local/run";
import { localCluster } from "./cluster";

// The local cluster as if it were somebody else's: through the public command, by a kubeconfig of
// its own, beside the stack of `npm run local`. What is not real: ./somebody.

const context = "admin@somebody/else";
const namespace = "e2e-context";
const scratch = mkdtempSync(join(tmpdir(), "context-"));
let environment: NodeJS.ProcessEnv;
let registry: ChildProcess;
let kubectl: (...args: string[]) => Promise<string>;

/** The local cluster's controller manager gives nodes no ranges: its CNI configuration names one. */
const up = ["--context", context, "--namespace", namespace, "--pod-network", addresses.pods];

const local = (...args: string[]) =>
  attempt(process.execPath, ["local/bootstrap.cjs", "local/cli.ts", ...args], {
    cwd: repository,
    env: environment,
  });

beforeAll(async () => {
  const { toolchain } = await localCluster();
  kubectl = (...args) => run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);
  const config = parse(readFileSync(kubeconfig, "utf8"));
  config.contexts[0].name = context;
  config["current-context"] = "";
  writeFileSync(join(scratch, "kubeconfig"), stringify(config), { mode: 0o600 });

  const node = String(findHolder()?.pid);
  registry = spawn(
    "nsenter",
    [
      ...[`--net=/proc/${node}/ns/net`, process.execPath, "--import", "tsx"],
      ...[join(__dirname, "somebody/registry.ts"), scratch],
    ],
    { cwd: repository, stdio: ["ignore", "pipe", "inherit"] },
  );
  const [port] = await once(registry.stdout as NodeJS.ReadableStream, "data");
  environment = {
    PATH: [join(__dirname, "somebody"), dirname(toolchain.kubectl), process.env.PATH].join(":"),
    KUBECONFIG: join(scratch, "kubeconfig"),
    CTR: toolchain.ctr,
    NODE: node,
    REGISTRY: `127.0.0.1:${String(port).trim()}`,
  };
  await forget();
});

afterAll(async () => {
  registry?.kill();
  rmSync(scratch, { recursive: true });
  await forget();
});

/** What a run leaves that was cut off, too. */
async function forget(): Promise<void> {
  await local("down", "--context", context);
  const remove = ["delete", "--ignore-not-found"];
  await kubectl(...remove, "--namespace=kube-public", "configmap", "local-registry-hosting");
  await kubectl(...remove, "namespace", namespace);
}

test("a context that isn't there is answered with those that are", async () => {
  const { status, output } = await local("--context", "kind-kind");
  expect(output).toContain("error: no context kind-kind in the kubeconfig");
  expect(output).toContain(`fix:   one of: ${context}`);
  expect(status).toBe(1);
});

test("a namespace that is somebody's own is left alone", async () => {
  const { status, output } = await local("--context", context, "--namespace", "kube-public");
  expect(output).toContain(`context ${context} has a namespace kube-public`);
  expect(status).toBe(1);
});

test("without a registry the command says how to name one", async () => {
  const { status, output } = await local(...up);
  expect(output).toContain("fix:   name one that this machine pushes to: --registry HOST/PATH");
  expect(status).toBe(1);
});

test("nodes claim GPUs only when told to, and get rid of them again", async () => {
  Object.assign(process.env, environment);
  const other = await Kubectl.on(context);
  const name = "e2e-without-gpus";
  const capacity = async () => {
    const nodes = await other.list<Node>("nodes");
    return nodes.find(({ metadata }) => metadata.name === name)?.status.capacity;
  };
  const create = ["create", "--filename=-"];
  const file = JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name } });
  await run("kubectl", other.args(create), { input: file });
  try {
    await kubectl(
      ...["patch", "node", name, "--subresource=status", "--type=merge"],
      '--patch={"status":{"capacity":{"cpu":"2"}}}',
    );
    const nodeInfo = { architecture: "amd64" };
    const node = { metadata: { name }, spec: {}, status: { capacity: { cpu: "2" }, nodeInfo } };
    await expect(ensureGpus(other, [node], false)).rejects.toThrow(
      `no node of context ${context} has nvidia.com/gpu`,
    );
    expect(await capacity()).toEqual({ cpu: "2" });
    await ensureGpus(other, [node], true);
    expect(await capacity()).toEqual({ cpu: "2", "nvidia.com/gpu": "4" });
    await removeFakeGpus(other);
    expect(await capacity()).toEqual({ cpu: "2" });
  } finally {
    await kubectl("delete", "node", name);
  }
});

test("the registry that a cluster names carries the images to a first picture", async () => {
  await kubectl(
    ...["--namespace=kube-public", "create", "configmap", "local-registry-hosting"],
    `--from-literal=localRegistryHosting.v1=host: "${environment.REGISTRY}"`,
  );
  rmSync(firstPicture, { force: true });
  const { status, output } = await local(...up);
  expect(output).toContain(`reach it: kubectl --context ${context}`);
  expect(status).toBe(0);
  expect(readFileSync(firstPicture).subarray(1, 4).toString()).toBe("PNG");
  const images = await kubectl(
    ...["--namespace", namespace, "get", "pods"],
    "--output=jsonpath={.items[*].spec.containers[*].image}",
  );
  for (const image of images.split(" ")) {
    expect(image).toMatch(new RegExp(`^${environment.REGISTRY}/image-service/[a-z-]+@sha256:`));
  }
});

test("status shows that stack alone, and down takes it and nothing else", async () => {
  const shown = await local("status", "--context", context);
  expect(shown.output).toContain(`namespace ${namespace}`);
  expect(shown.output).toMatch(/^ {2}up {3}api$/m);
  expect(shown.output).not.toContain("DOWN");

  // The plugin's tests run beside, in namespaces that come and go.
  const namespaces = async () =>
    (await kubectl("get", "namespaces", "--output=name"))
      .split("\n")
      .filter((name) => /^namespace\/(default|kube-|image-service|e2e-)/.test(name));
  const before = await namespaces();
  expect(before).toContain(`namespace/${namespace}`);
  const down = await local("down", "--context", context);
  expect(down.status, down.output).toBe(0);
  expect(await namespaces()).toEqual(before.filter((name) => name !== `namespace/${namespace}`));
  const gone = await local("status", "--context", context);
  expect(gone.output).toContain(`this machine has no stack on context ${context}`);
});
