import { z } from "zod";
import { group } from "../fields";
import { identity } from "./identity";

export const aws = group("Where AWS keeps what is managed", {
  region: z.string().default("").describe("Region, like eu-central-1"),
  vpcId: z.string().default("").describe("Network of the managed stores, like vpc-0a1b"),
  subnetIds: z
    .array(z.string())
    .default([])
    .describe("Private subnets of it, in two availability zones or more"),
  ...identity,
  applyImmediately: z
    .boolean()
    .default(false)
    .describe(
      "Change managed stores at once, with a short outage; false: in their maintenance window",
    ),
  tags: z
    .record(z.string(), z.string())
    .default({})
    .describe("Tags of everything that is made in AWS, such as for its bills"),
  clientNetworks: z
    .array(z.cidrv4("must be a network like 10.0.0.0/16"))
    .default([])
    .describe("Networks of the cluster's nodes and pods, which may reach the managed stores"),
});
