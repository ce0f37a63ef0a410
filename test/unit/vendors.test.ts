import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  allocatableOf16GiB,
  cloudflaredMaxGraceSeconds,
  cloudflareManagedRuleset,
  readNlb,
  registryHost,
  s3Url,
} from "../../components/vendors";
import { repository } from "../../local/paths";
import { containersOf, type Props, podOf } from "../../policy/resource";
import { resourcesOf } from "../golden/resources";
import { stacks } from "../golden/stacks";

// What the golden files declare, before what vendors take.

describe.each(stacks)("the stack %s", (stack) => {
  const resources = resourcesOf(stack);
  const pods = resources.flatMap((resource) => podOf(resource) ?? []);

  test("gives cloudflared no longer to end requests than it takes, and the pod longer", () => {
    for (const { spec } of pods) {
      for (const { name, args } of containersOf(spec)) {
        if (name !== "cloudflared") continue;
        const seconds = Number.parseInt(args[args.indexOf("--grace-period") + 1], 10);
        expect(seconds).toBeLessThanOrEqual(cloudflaredMaxGraceSeconds);
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(seconds);
      }
    }
  });

  test("asks for a worker that fits a node with 16 GiB, beside what each node runs", () => {
    const perNodeGiB = 1;
    const requests = pods
      .flatMap(({ spec }) => containersOf(spec))
      .filter(({ name }) => name === "worker")
      .map(({ resources }) => resources.requests.memory as string);
    expect(requests.length).toBeGreaterThan(0);
    for (const request of requests) {
      const [, number = "", unit] = /^([\d.]+)(Mi|Gi)$/.exec(request) ?? [];
      const gib = Number(number) / (unit === "Mi" ? 1024 : 1);
      expect(gib).toBeLessThanOrEqual(allocatableOf16GiB - perNodeGiB);
    }
  });

  test("has no health check of a load balancer's that can't read what it sends", () => {
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    for (const { type, props } of resources) {
      if (!type.endsWith(":Service") || !readNlb(props.metadata.annotations ?? {}).proxyProtocol) {
        continue;
      }
      // With `Local` kube-proxy is asked, and it knows no PROXY header.
      expect(props.spec.externalTrafficPolicy).toBe("Cluster");
    }
  });

  test("executes only rulesets that Cloudflare has", () => {
    const rules = resources
      .filter(({ type }) => type === "cloudflare:index/ruleset:Ruleset")
      .flatMap(({ props }) => props.rules as Props[]);
    for (const { action, actionParameters } of rules) {
      if (action === "execute") expect(actionParameters.id).toBe(cloudflareManagedRuleset);
    }
  });
});

test("what vendors call their own stands in one file", () => {
  const files = ["components", "config", "stack"].flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(folder, file)),
  );
  const naming = [...files, "index.ts"].filter((file) =>
    /amazonaws\.com|cfargotunnel|docker\.io/.test(readFileSync(join(repository, file), "utf8")),
  );
  expect(naming).toEqual(["components/vendors.ts"]);
});

test.each([
  ["eu-central-1", "https://s3.eu-central-1.amazonaws.com"],
  ["cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"],
])("S3 of %s is at %s", (region, url) => {
  expect(s3Url(region)).toBe(url);
});

// What splitDockerDomain of github.com/distribution/reference makes of them.
test.each([
  [
    "111122223333.dkr.ecr.eu-central-1.amazonaws.com/image-service",
    "111122223333.dkr.ecr.eu-central-1.amazonaws.com",
  ],
  ["registry:5000/pictures/image-service", "registry:5000"],
  ["localhost/image-service", "localhost"],
  ["owner/image-service", ""],
  ["registry.example", ""],
])("the images of %s lie in the registry %j", (repository, host) => {
  expect(registryHost(repository)).toBe(host);
});
