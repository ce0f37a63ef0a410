import { expect, test } from "vitest";
import { renderParts } from "../../../local/cluster/parts";

const parts = renderParts();

test("parts start in the order in which they need each other", () => {
  expect(parts.map((part) => part.name)).toEqual([
    "etcd",
    "containerd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kube-router",
  ]);
});

test("every file of a part lies under the node's own /var", () => {
  for (const part of parts) {
    for (const file of Object.keys(part.files ?? {})) expect(file).toMatch(/^\/var\//);
  }
});

test("containerd pins the sandbox image and keeps network namespaces out of the host's list", () => {
  const config = parts.find((part) => part.name === "containerd")?.files ?? {};
  const toml = Object.values(config).find((text) => text.startsWith("version = 3"));
  expect(toml).toContain('sandbox = "localhost/image-service/pause:local"');
  expect(toml).toContain("netns_mounts_under_state_dir = true");
});
