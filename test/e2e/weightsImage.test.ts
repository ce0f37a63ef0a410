import { join } from "node:path";
import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findHolder, inNode } from "../../local/cluster/node";
import { buildah, imageTag, importImage } from "../../local/images";
import { kubeconfig, repository } from "../../local/paths";
import { attempt, run } from "../../local/run";
import { localCluster } from "./cluster";

// Beside the workers of `npm run local` one whose weights are an image, as models.image has it.

const namespace = "image-service";
const name = "worker-of-image";
const image = "models-test";

let kubectl: string;
let ctr: string;
let reference: string;

const inNamespace = (args: string[], input?: string) =>
  run(kubectl, [`--kubeconfig=${kubeconfig}`, "--namespace", namespace, ...args], { input });

beforeAll(async () => {
  const { toolchain } = await localCluster();
  ({ kubectl, ctr } = toolchain);
  await buildah("models-image", [
    ...["bud", "--tag", imageTag(image), "--build-arg", `WORKER=${imageTag("worker")}`],
    ...["--build-arg", "MODEL_ID=tiny-sdxl", join(repository, "docker/models")],
  ]);
  reference = await importImage(image, findHolder()?.pid as number, ctr);
});

afterAll(async () => {
  await attempt(kubectl, [
    ...[`--kubeconfig=${kubeconfig}`, "--namespace", namespace],
    ...["delete", "pod", name, "--ignore-not-found"],
  ]);
  await inNode(findHolder()?.pid as number, `${ctr} --namespace k8s.io images rm ${reference}`);
  await buildah("models-image", ["rmi", imageTag(image)]);
});

test("a worker whose weights are an image of docker/models loads them, and can't change them", async () => {
  const json = await inNamespace(["get", "deployment", "aigc-workers", "-o", "json"]);
  const { metadata, spec } = (JSON.parse(json) as V1Deployment).spec?.template ?? {};
  const pod: V1Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: metadata?.labels },
    spec: {
      ...spec,
      containers: spec?.containers ?? [],
      volumes: spec?.volumes?.map((volume) =>
        volume.name === "models" ? { name: "models", image: { reference } } : volume,
      ),
    },
  };
  await inNamespace(["create", "-f", "-"], JSON.stringify(pod));
  await inNamespace(["wait", "--for=condition=Ready", "--timeout=300s", `pod/${name}`]);
  const mounted = await inNamespace(["exec", name, "--", "cat", "/proc/mounts"]);
  expect(mounted).toMatch(/^\S+ \/models \S+ ro/m);
});
