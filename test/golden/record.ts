import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { parse } from "yaml";
import { fullKey, overlay, secretValues, type Values, withPlaceholders } from "../placeholders";

// Answers each list of runs that its parent sends with what programs declare: logical name →
// declaration, or how they refuse. The program is the example of the stack's name, or else the
// repository's own.

/** A stack, with values laid over its file. */
export type Run = [stack: string, values: Values];

/** The program didn't get to its end. */
export interface Refused {
  refused: string;
  trace?: string;
}

/** A stack's resources, by logical name. */
export type Declared = Record<string, Declaration>;

/** A resource as the program declares it. */
export interface Declaration {
  type: string;
  parent?: string;
  /** Logical names that it had before. */
  aliases?: string[];
  provider?: string;
  protect?: true;
  retainOnDelete?: true;
  /** Inputs that stay as somebody else has set them. */
  ignoreChanges?: string[];
  /** Inputs whose change replaces it, besides those that the provider knows. */
  replaceOnChanges?: string[];
  deleteBeforeReplace?: true;
  /** How long it may take, by operation, like 2h; what is not here takes the provider's time. */
  timeouts?: Record<string, string>;
  dependencies: string[];
  inputs: unknown;
}

const { withLocalStorage } = require("@pulumi/pulumi/runtime/state");
const root = join(__dirname, "../..");

function readYaml(path: string) {
  return parse(readFileSync(path, "utf8"));
}

/** The folder of a stack's program. */
function programOf(stack: string): string {
  const example = join(root, "examples", stack);
  return existsSync(join(example, "Pulumi.yaml")) ? example : root;
}

/** What the program would read on a machine: the stack file, and values that no stack file holds. */
function configure(program: string, project: string, [stack, edit]: Run): void {
  const path = [root, __dirname, join(root, "examples", stack)].map((directory) =>
    join(directory, `Pulumi.${stack}.yaml`),
  );
  const config = readYaml(path.find(existsSync) as string).config as Record<string, object>;
  const secrets = Object.entries(secretValues).map(([name, value]) => [fullKey(name), value]);
  const own: Values = { ...withPlaceholders(stack, config), ...Object.fromEntries(secrets) };
  const values = program === root ? own : config;
  for (const [key, value] of Object.entries(edit)) overlay(values, key, value);
  // As the CLI does for keys that the stack file leaves out.
  const { config: declared = {} } = readYaml(join(program, "Pulumi.yaml"));
  for (const [key, { default: value }] of Object.entries<{ default?: unknown }>(declared)) {
    if (value !== undefined) values[`${project}:${key}`] ??= value;
  }
  const text = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(text), Object.keys(secretValues).map(fullKey));
}

let heard: (request: RegisterResourceRequest) => void;

/** Mocks see inputs alone; what stands beside them in the request matters as much. */
function onRequest(): void {
  const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks");
  const { registerResource } = MockMonitor.prototype;
  MockMonitor.prototype.registerResource = function (
    request: RegisterResourceRequest,
    ...rest: unknown[]
  ) {
    heard(request);
    return registerResource.call(this, request, ...rest);
  };
}

function declaration(request: RegisterResourceRequest): Declaration {
  const aliases = previousNames(request);
  const timeouts = Object.entries(request.getCustomtimeouts()?.toObject() ?? {}).filter(
    ([, time]) => time,
  );
  return {
    type: request.getType(),
    ...(aliases.length > 0 && { aliases }),
    ...(request.getParent() && { parent: logicalName(request.getParent()) }),
    ...(request.getProvider() && { provider: logicalName(request.getProvider()) }),
    ...(request.getProtect() && { protect: true }),
    ...(request.getRetainondelete() && { retainOnDelete: true }),
    ...(request.getIgnorechangesList().length > 0 && {
      ignoreChanges: request.getIgnorechangesList(),
    }),
    ...(request.getReplaceonchangesList().length > 0 && {
      replaceOnChanges: request.getReplaceonchangesList(),
    }),
    ...(request.getDeletebeforereplace() && { deleteBeforeReplace: true }),
    ...(timeouts.length > 0 && { timeouts: Object.fromEntries(timeouts) }),
    dependencies: request.getDependenciesList().map(logicalName).sort(),
    inputs: readable(request.getObject()?.toJavaScript()),
  };
}

function previousNames(request: RegisterResourceRequest): string[] {
  const names = [
    ...request.getAliasesList().map((alias) => alias.getSpec()?.getName()),
    ...request.getAliasurnsList().map(logicalName),
  ];
  return [...new Set(names)].filter((name) => name && name !== request.getName()) as string[];
}

/** A URN's last part; a provider's reference has its id after it. */
const logicalName = (urn: string) => urn.split("::")[3] as string;

const secretSignature = "4dabf18193072939515e22adb298388d";

/** Keys in order, secrets marked, and text by lines, so that a diff reads well. */
function readable(value: unknown): unknown {
  if (typeof value === "string") return value.includes("\n") ? { lines: value.split("\n") } : value;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if (secretSignature in value) return { secret: readable((value as { value?: unknown }).value) };
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, readable(inner)]));
}

async function declare(run: Run): Promise<Declared> {
  const [stack] = run;
  const program = programOf(stack);
  const project = readYaml(join(program, "Pulumi.yaml")).name as string;
  const declared: Declared = {};
  heard = (request) => {
    const name = request.getName();
    if (request.getType() === "pulumi:pulumi:Stack") return;
    if (declared[name]) throw new Error(`two resources are named ${name}`);
    declared[name] = declaration(request);
  };
  await pulumi.runtime.setMocks(
    {
      call: ({ token, inputs }) => ({ ...inputs, ...lookedUp, token }),
      newResource: ({ name, type, inputs }) => ({
        id: name,
        state: { ...inputs, ...outputs(name, type, inputs) },
      }),
    },
    project,
    stack,
    false,
  );
  configure(program, project, run);
  // So that the program runs again, and what it is made of isn't loaded again.
  delete require.cache[join(program, "index.ts")];
  // Asked before, for what a program throws in a stack ends the process.
  if (program === root) require(join(root, "config")).loadConfig();
  const handedOver = await pulumi.runtime.runInPulumiStack(async () => {
    const exported = require(join(program, "index"));
    return exported instanceof Function ? exported() : exported;
  });
  await pulumi.runtime.disconnect();
  if (program !== root) {
    declared.outputs = { type: "outputs", dependencies: [], inputs: readable(handedOver) };
  }
  return declared;
}

async function answer(runs: Run[]): Promise<void> {
  // Pulumi keeps a stack trace with each promise: most of the time of many runs.
  Error.stackTraceLimit = runs.length > 10 ? 0 : 10;
  const answers: (Declared | Refused)[] = [];
  for (const run of runs) {
    // Each has a state of its own, as programs have that the Automation API runs in one process.
    await withLocalStorage(async () => {
      const declared = declare(run).catch(({ message, stack }: Error) => ({
        refused: message,
        trace: stack,
      }));
      answers.push(await declared);
    });
  }
  process.send?.(answers);
}

/** What providers answer to any question of the program. */
const lookedUp = {
  account: { id: "account" },
  userName: "AWS",
  password: "the password of ECR",
  version: "the default",
};

const arn = (service: string, resource: string) =>
  `arn:aws:${service}:eu-central-1:111122223333:${resource}`;

/** What only a provider knows, and other declarations are made of. */
function outputs(name: string, type: string, inputs: Record<string, unknown>): object {
  switch (type) {
    case "docker:index/image:Image":
      return { repoDigest: `${inputs.imageName}@sha256:${"0".repeat(64)}` };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { latestVersion: 1 };
    case "aws:ecr/repository:Repository":
      return {
        arn: arn("ecr", `repository/${inputs.name}`),
        repositoryUrl: `111122223333.dkr.ecr.eu-central-1.amazonaws.com/${inputs.name}`,
      };
    case "aws:eks/cluster:Cluster":
      return {
        arn: arn("eks", `cluster/${inputs.name}`),
        endpoint: "https://eks.example",
        certificateAuthority: { data: "the CA" },
        identities: [{ oidcs: [{ issuer: "https://oidc.example/id/EXAMPLE" }] }],
        vpcConfig: { ...(inputs.vpcConfig as object), clusterSecurityGroupId: "the-nodes" },
      };
    case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
      return { arn: "arn:aws:iam::111122223333:oidc-provider/oidc.example/id/EXAMPLE" };
    case "aws:kms/key:Key":
      return { arn: arn("kms", `key/${name}`) };
    case "pulumi:pulumi:StackReference":
      return { outputs: { configuration: { pods: { pullSecrets: ["of-another-stack"] } } } };
    case "aws:s3/bucket:Bucket":
      return { bucket: name, region: "eu-central-1", arn: `arn:aws:s3:::${name}` };
    case "aws:iam/role:Role":
      return { name, arn: `arn:aws:iam::111122223333:role/${name}` };
    case "aws:iam/accessKey:AccessKey":
      return { secret: pulumi.secret("the key's secret") };
    case "aws:rds/instance:Instance":
      return { endpoint: "postgres.example:5432" };
    case "aws:elasticache/replicationGroup:ReplicationGroup":
      return { primaryEndpointAddress: "redis.example" };
    case "kubernetes:core/v1:Service":
      return { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } };
    default:
      // What has no name of its own is given one.
      if (type.startsWith("aws:")) return { name: inputs.name ?? name };
      return { metadata: { name, ...(inputs.metadata as object) } };
  }
}

onRequest();
process.on("message", answer);
