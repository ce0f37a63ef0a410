import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

const nodes = (instanceType: string, count: number, least: number) =>
  z
    .strictObject({
      instanceType: z.string().default(instanceType),
      count: z.int().min(least).default(count),
    })
    .prefault({});

/** Every key of a stack's configuration. */
export const schema = z.strictObject({
  region: z.string().describe("Region of AWS, like eu-central-1"),
  zones: z
    .array(z.string().regex(/^[a-f]$/, "must be the letter of a zone, like a"))
    .min(2, "must be two or more, as EKS and RDS ask")
    .default(["a", "b"])
    .describe(
      "Availability zones; each costs a NAT gateway, and has to sell gpuNodes.instanceType",
    ),
  network: z
    .string()
    .regex(/^\d+\.\d+\.0\.0\/16$/, "must be like 10.0.0.0/16")
    .default("10.0.0.0/16")
    .describe("Network of nodes, pods and managed stores"),
  kubernetesVersion: z
    .string()
    .regex(/^1\.\d+$/, "must be like 1.37")
    .default("1.37")
    .describe("Raised by one at a time; nodes and add-ons follow"),
  apiNetworks: z
    .array(z.cidrv4("must be a network like 192.0.2.0/24"))
    .default(["0.0.0.0/0"])
    .describe("Networks that reach the API server; GitHub's runners have none of their own"),
  admins: z
    .array(z.string().regex(/^arn:aws:iam::\d{12}:(role|user)\//, "must be a role's or user's ARN"))
    .default([])
    .describe("Who administers the cluster, besides whoever makes it"),
  nodes: nodes("m7i.large", 2, 1).describe("Nodes for all but workers"),
  gpuNodes: nodes("g6.xlarge", 4, 0).describe(
    "Nodes for workers, one GPU each, that are always there",
  ),
  karpenter: z
    .strictObject({
      maxGpus: z.int().min(0).default(0),
      instanceTypes: z.array(z.string()).min(1).default(["g6.xlarge", "g6.2xlarge", "g6e.xlarge"]),
    })
    .prefault({})
    .describe("Nodes for workers besides, as many as they ask for: spot, then on demand; 0: none"),
  github: z
    .string()
    .regex(/^([\w.-]+(@\d+)?\/[\w.-]+(@\d+)?)?$/, "must be like OWNER@123/REPOSITORY@456")
    .default("")
    .describe("Repository whose workflows may preview and deploy; empty: none"),
  protect: z.boolean().default(true).describe("Refuse to delete the cluster and what holds data"),
});

/** @throws with every fault, before anything is made */
export function loadConfig(): z.infer<typeof schema> {
  const { name } = new pulumi.Config();
  const given = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(`${name}:`))
    .map(([key, text]) => [key.slice(name.length + 1), parse(text)]);
  const { data, error } = schema.safeParse(Object.fromEntries(given));
  if (data) return data;
  throw new pulumi.RunError(
    `the configuration of stack ${pulumi.getStack()} is wrong:\n${z.prettifyError(error)}`,
  );
}

/** Pulumi hands over text: JSON but for strings, of which 1.30 must not become a number. */
const parse = (text: string): unknown =>
  /^([[{]|true$|false$)/.test(text) ? JSON.parse(text) : text;
