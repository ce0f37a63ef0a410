import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { fill, handedOver } from "../../../config/infrastructure";

const project = "image-service";
const named = { [`${project}:infrastructure`]: "organization/image-service-eks/prod" };
let outputs: object;

beforeEach(async () => {
  outputs = { configuration: { context: "the-cluster", aws: { vpcId: "vpc-1" } } };
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: ({ name, inputs }) => ({ id: name, state: { ...inputs, outputs } }),
    },
    project,
    "prod",
  );
});

test("a stack takes what the stack of its infrastructure hands over", async () => {
  pulumi.runtime.setAllConfig(named);
  expect(await handedOver()).toEqual({ context: "the-cluster", aws: { vpcId: "vpc-1" } });
});

test("a stack without infrastructure asks no other", async () => {
  pulumi.runtime.setAllConfig({});
  expect(await handedOver()).toEqual({});
});

test("a stack that hands over nothing is named, with the way out", async () => {
  outputs = {};
  pulumi.runtime.setAllConfig(named);
  await expect(handedOver()).rejects.toThrow(
    "infrastructure is organization/image-service-eks/prod, but that stack has no output named configuration; fix: pulumi up there, or pulumi config rm infrastructure",
  );
});

test("a stack's own values win, key by key; what it left empty is filled", () => {
  const own = {
    context: "mine",
    podNetwork: "",
    aws: { region: "", subnetIds: [], tags: {}, applyImmediately: false },
  };
  const others = {
    context: "theirs",
    podNetwork: "10.0.0.0/16",
    aws: { region: "eu-central-1", subnetIds: ["subnet-1"], vpcId: "vpc-1" },
    models: { storageClass: "efs" },
  };
  expect(fill(own, others)).toEqual({
    context: "mine",
    podNetwork: "10.0.0.0/16",
    aws: {
      region: "eu-central-1",
      subnetIds: ["subnet-1"],
      tags: {},
      applyImmediately: false,
      vpcId: "vpc-1",
    },
    models: { storageClass: "efs" },
  });
});
