import { expect, test } from "vitest";
import { RegistryCredentials } from "../../../components/kubernetes/registryCredentials";
import { ecrHost } from "../../../components/vendors";
import type { Props } from "../../../policy/resource";
import { podOf } from "../../../policy/resource";
import { resourcesOf } from "../../golden/resources";
import { declared } from "../declared";

test("every pod of a stack that pushes to a registry fetches with that registry's password", () => {
  const pods = resourcesOf("alternatives").flatMap((resource) => podOf(resource)?.spec ?? []);
  expect(pods.length).toBeGreaterThan(8);
  for (const { imagePullSecrets } of pods)
    expect(imagePullSecrets).toEqual([{ name: "registry-secret" }]);
});

test.each([
  ["registry.example", "registry.example"],
  ["", "https://index.docker.io/v1/"],
])("the password of the registry %j is found under its host", async (server, host) => {
  const { inputs } = await declared(
    () =>
      new RegistryCredentials("registry", {
        namespace: "ns",
        server,
        username: "me",
        password: "pw",
      }),
  );
  const { stringData, type } = inputs["registry-secret"] as Props;
  expect(type).toBe("kubernetes.io/dockerconfigjson");
  // Wrapped, since it is a secret.
  expect(JSON.parse(stringData.value[".dockerconfigjson"])).toEqual({
    auths: { [host]: { username: "me", password: "pw" } },
  });
});

test("an ECR registry is known by its host", () => {
  expect("111122223333.dkr.ecr.eu-central-1.amazonaws.com").toMatch(ecrHost);
  expect("registry.example.com").not.toMatch(ecrHost);
});
