import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { Definition } from "./definition";
import { sourceOf } from "./goModule";

// What examples/eks declares for Karpenter, before its own definitions in the version that it installs.

const eks = accepted("eks");
const inputsOf = (name: string) => plain(eks[name]?.inputs) as Props;
const version = `v${inputsOf("karpenter-controller").version}`;
const scratch = mkdtempSync(join(tmpdir(), "image-service-karpenter-"));
let source: string;

beforeAll(async () => {
  source = await sourceOf("github.com/aws/karpenter-provider-aws", version, scratch);
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** With ids as AWS gives them, where golden files have logical names. */
function withIds(declared: Props): Props {
  const { spec } = declared;
  for (const term of spec.subnetSelectorTerms ?? []) term.id = "subnet-0a1b2c3d";
  for (const term of spec.securityGroupSelectorTerms ?? []) term.id = "sg-0a1b2c3d";
  return declared;
}

test.each([
  ["gpu-pool-class", "karpenter.k8s.aws_ec2nodeclasses", "metadataOptions"],
  ["gpu-pool-nodes", "karpenter.sh_nodepools", "disruption"],
])("Karpenter's definition takes %s, and not with another field", async (name, file, group) => {
  const crd = join(source, `pkg/apis/crds/${file}.yaml`);
  const definition = await Definition.read(crd, "v1", scratch);
  const declared = withIds(inputsOf(name));
  expect(await definition.refuses(declared)).toBe("");
  const wrong = structuredClone(declared);
  wrong.spec[group].colour = "blue";
  expect(await definition.refuses(wrong)).toContain("colour");
});
