import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureImage, loadImage } from "../../local/images";
import type { Recipe } from "../../local/images/recipes";
import { kubeconfig } from "../../local/paths";
import { run } from "../../local/run";
import { imageConfig, type StandIn, startStandIn } from "../../local/stack";
import { secretValues } from "../placeholders";
import { RecordedStack } from "../recorder/stack";
import { localCluster } from "./cluster";

// The committed prod stack, applied to the local cluster: tunnel, two of everything, claims with a
// class, protection. AWS and Cloudflare only record what they are asked for, and a stand-in is
// ready in cloudflared's place (test/vendors starts the real one).

const namespace = "image-service-prod";
const cloudflared: Recipe = {
  name: "cloudflared",
  context: join(__dirname, "cloudflared"),
  file: "Containerfile",
  base: "api",
  cost: { seconds: 5, cpuSeconds: 3 },
};
const storage = { storage: "1Gi", storageClass: "local-path" };

let stack: RecordedStack;
let kubernetes: StandIn;
let kubectl: (...args: string[]) => Promise<string>;
let providers: Record<string, string>;

const must = (...command: string[]) => stack.mustRun(command, providers);

/** A request as it leaves the tunnel, from a connector's pod. @returns the answer's body */
const fromTunnel = (path: string, body?: object) =>
  kubectl(
    ...["exec", "deployment/front-cloudflared", "--", "python", "-c"],
    [
      "import sys, urllib.request",
      "url, token, *body = sys.argv[1:]",
      "headers = {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json',",
      "           'Host': 'images.example.com', 'CF-Connecting-IP': '203.0.113.9'}",
      "request = urllib.request.Request(url, body[0].encode() if body else None, headers)",
      "sys.stdout.buffer.write(urllib.request.urlopen(request).read())",
    ].join("\n"),
    ...[`http://nginx${path}`, secretValues.apiSecret as string],
    ...(body ? [JSON.stringify(body)] : []),
  );

beforeAll(async () => {
  const { toolchain, images } = await localCluster();
  kubectl = (...args) =>
    run(toolchain.kubectl, [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`, ...args]);
  await ensureImage(cloudflared, toolchain, () => {});
  const connectors = await loadImage(cloudflared, toolchain, () => {});
  kubernetes = await startStandIn();
  stack = await RecordedStack.create("as configured");
  const recorders = stack.environment.PULUMI_DEBUG_PROVIDERS as string;
  providers = {
    PULUMI_DEBUG_PROVIDERS: recorders.replace(/kubernetes:\d+/, `kubernetes:${kubernetes.port}`),
  };
  const resources = { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } };
  stack.edit({
    namespace,
    kubeconfig,
    context: "",
    podNetwork: "10.244.0.0/24",
    images: { ...imageConfig(images), cloudflared: connectors },
    build: { repository: "" },
    // Nothing here reaches S3, and a database that can't reach its archive doesn't begin empty.
    "backups.managed": false,
    "aws.region": "",
    // What one machine has no room for.
    workers: { replicas: 2, model: "tiny-sdxl", threads: 1, resources },
    models: { ...storage, accessMode: "ReadWriteOnce", resources },
    redis: storage,
    postgres: storage,
    objectStore: storage,
    monitoring: storage,
  });
});

afterAll(() => {
  kubernetes?.close();
  stack?.close();
});

test("a first up of prod ends with every pod ready, two of what has to outlive one", async () => {
  await must("up", "--yes", "--skip-preview");
  const deployments = await kubectl(
    ...["get", "deployments", "--no-headers"],
    "--output=custom-columns=:metadata.name,:status.availableReplicas",
  );
  expect(
    Object.fromEntries(
      deployments
        .trim()
        .split("\n")
        .map((line) => line.split(/\s+/)),
    ),
  ).toEqual({
    "aigc-workers": "2",
    api: "2",
    "front-cloudflared": "2",
    nginx: "2",
  });
});

test("what comes out of the tunnel is drawn, and logged with the client's own address", async () => {
  const task = JSON.parse(
    await fromTunnel("/api/generate", {
      prompt: "a lighthouse",
      width: 256,
      height: 256,
      steps: 2,
    }),
  ) as { id: string; status: string };
  expect(task.status).toBe("succeeded");
  expect(await fromTunnel(`/api/tasks/${task.id}/images/0`)).toContain("PNG");
  const logs = await kubectl("logs", "--selector=app=nginx", "--tail=-1");
  expect(logs).toMatch(/"client":"203\.0\.113\.9","method":"POST","path":"\/api\/generate"/);
});

test("another up of prod changes nothing", async () => {
  await must("up", "--yes", "--skip-preview", "--expect-no-changes");
});

test("destroy of prod is refused and takes nothing, until protect is false; then only buckets are left", async () => {
  const refused = await stack.run(["destroy", "--yes"], providers);
  expect(refused.status).not.toBe(0);
  expect(stack.recorder.deleted).toEqual([]);
  expect(await kubectl("get", "deployments", "--output=name")).toContain("deployment.apps/nginx");

  stack.edit({ protect: false });
  await must("up", "--yes", "--skip-preview");
  await must("destroy", "--yes", "--skip-preview");
  const namespaces = await kubectl("get", "namespaces", "--output=name");
  expect(namespaces).not.toContain(namespace);
  for (const { type } of stack.recorder.made) expect(type).toMatch(/^aws:s3\//);
});
