import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describe } from "../../../local/context";
import { dnsHost, type Node, platformOf } from "../../../local/context/cluster";
import { pushedDigest } from "../../../local/context/images";
import { podNetwork } from "../../../local/context/network";
import { stackName } from "../../../local/context/record";
import { advertisedRegistry } from "../../../local/context/registry";
import { repository } from "../../../local/paths";

/** The command, where no program is on the PATH. */
function local(...args: string[]) {
  const state = mkdtempSync(join(tmpdir(), "context-"));
  const { stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "local/cli.ts", ...args],
    {
      cwd: repository,
      encoding: "utf8",
      env: { ...process.env, PATH: state, IMAGE_SERVICE_STATE: state },
    },
  );
  rmSync(state, { recursive: true });
  return { stderr, status };
}

test.each<[string[], string]>([
  [["--context", "kind-kind"], "kubectl is not on the PATH"],
  [["down", "--context", "kind-kind"], "this machine has no stack on context kind-kind"],
  [["status", "--context", "kind-kind"], "this machine has no stack on context kind-kind"],
  [["reset", "--context", "kind-kind"], "unknown command with --context: reset"],
  [["--registry", "localhost:5001"], "--registry is of use only where"],
  [["down", "--context", "kind-kind", "--fake-gpus"], "--fake-gpus is of use only where"],
  [["--context"], "argument missing"],
])("npm run local -- %j says what is wrong in one message: %s", (args, message) => {
  const { stderr, status } = local(...args);
  expect(stderr).toContain("error: ");
  expect(stderr).toContain(message);
  expect(stderr).toContain("fix:   ");
  expect(stderr).not.toContain("    at ");
  expect(status).toBe(1);
});

// kind, k3d and ctlptl write it so.
test.each([
  [
    "host: localhost:5001\nhelp: https://kind.sigs.k8s.io/docs/user/local-registry/",
    { push: "localhost:5001/image-service", pull: "localhost:5001/image-service" },
  ],
  [
    "host: localhost:41263\nhostFromContainerRuntime: k3d-registry:5000",
    { push: "localhost:41263/image-service", pull: "k3d-registry:5000/image-service" },
  ],
  ["help: https://minikube.sigs.k8s.io/docs/handbook/registry/", undefined],
  ["", undefined],
])("images go where the cluster says, each side by its own name: %j", (hosting, registry) => {
  expect(advertisedRegistry(hosting)).toEqual(registry);
});

test.each<[string[], string[], string | undefined]>([
  [["10.244.0.0/24"], ["10.244.0.5"], "10.244.0.0/24"],
  [["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"], ["10.244.2.9"], "10.244.0.0/22"],
  [["10.42.0.0/24", "fd00::/64"], ["10.42.0.3", "fd00::3"], "10.42.0.0/24"],
  [["192.168.255.0/24", "192.168.0.0/24"], [], "192.168.0.0/16"],
  [["10.244.0.0/24"], ["172.17.0.3"], undefined],
  [["10.0.0.0/24", "192.168.0.0/24"], [], undefined],
  [["fd00::/64"], ["fd00::3"], undefined],
  [[], [], undefined],
])("pods of nodes with %j and addresses %j live in %s", (ranges, addresses, network) => {
  expect(podNetwork(ranges, addresses)).toBe(network);
});

test("a push's own word on its digest is taken, not that of the image it came from", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const output = [
    "The push refers to repository [localhost:5001/image-service/nginx]",
    `sha256:${"cd".repeat(32)}: Pushed`,
    `local: digest: ${digest} size: 1778`,
    "",
  ].join("\n");
  expect(pushedDigest(output, "localhost:5001/image-service/nginx:local")).toBe(digest);
  expect(() => pushedDigest("Writing manifest", "nginx:local")).toThrow("named no digest");
});

const node = (architecture: string): Node => ({
  metadata: { name: architecture },
  spec: {},
  status: { capacity: {}, nodeInfo: { architecture } },
});

test("images are made for what the nodes run, and refused for nodes of two kinds", () => {
  expect(platformOf([node("arm64"), node("arm64")])).toBe("linux/arm64");
  expect(() => platformOf([node("arm64"), node("amd64")])).toThrow("arm64, amd64");
});

test("a cluster whose DNS has another name has to name it", () => {
  expect(dnsHost(["kube-dns"])).toBe("kube-dns.kube-system.svc.cluster.local");
  expect(() => dnsHost([])).toThrow("k8s-app=kube-dns");
});

test("every context has a stack of its own, and every cluster made anew under its name", () => {
  const contexts = ["local", "kind-kind", "a/b", "a:b", "a-b", "x".repeat(300)];
  const names = contexts.flatMap((context) =>
    ["first", "second"].map((clusterId) => stackName({ context, clusterId })),
  );
  expect(new Set(names).size).toBe(names.length);
  // What Pulumi takes.
  for (const name of names) expect(name).toMatch(/^[\w.-]{1,100}$/);
});

test("status shows what is down, and the commands that lead to the rest", () => {
  const record = {
    context: "kind-kind",
    clusterId: "7d1c",
    namespace: "pictures",
    endpoint: "http://127.0.0.1:30080",
    forward: "kubectl --context kind-kind port-forward",
    kubectl: "kubectl --context kind-kind --namespace pictures",
    apiKey: "key",
  };
  const shown = describe(record, [
    { metadata: { name: "api" }, spec: { replicas: 2 }, status: { readyReplicas: 2 } },
    { metadata: { name: "nginx" }, spec: { replicas: 1 }, status: {} },
  ]);
  expect(shown).toContain("up   api");
  expect(shown).toContain("DOWN nginx");
  const { clusterId: _, ...useful } = record;
  for (const value of Object.values(useful)) expect(shown).toContain(value);
});
