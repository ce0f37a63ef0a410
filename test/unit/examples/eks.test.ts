import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../../config";
import { secrets } from "../../../config/secrets";
import { repository } from "../../../local/paths";
import type { Props } from "../../../policy/resource";
import { accepted } from "../../golden/stacks";
import { plain } from "../../golden/whole";
import { fullKey, project, secretValues, withPlaceholders } from "../../placeholders";

interface Statement {
  Effect: "Allow" | "Deny";
  Action: string[];
  Resource: string[];
}

const eks = accepted("eks");
const inputsOf = (name: string) => plain(eks[name]?.inputs) as Props;

describe("the cluster's stack hands over to the service's", () => {
  const { configuration } = inputsOf("outputs");
  const { config: committed } = parse(
    readFileSync(join(repository, "Pulumi.prod.yaml"), "utf8"),
  ) as { config: Record<string, object> };
  const {
    [fullKey("podNetwork")]: _,
    [fullKey("context")]: __,
    ...own
  } = withPlaceholders("prod", committed);

  async function load(values: Record<string, unknown>, handedOver: object) {
    await pulumi.runtime.setMocks(
      { call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs }) },
      project,
      "prod",
    );
    const text = Object.entries({ ...own, ...values }).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const secretTexts = Object.entries(secretValues).map(([key, value]) => [fullKey(key), value]);
    pulumi.runtime.setAllConfig(
      Object.fromEntries([...text, ...secretTexts]),
      Object.keys(secrets).map(fullKey),
    );
    return loadConfig(handedOver);
  }
  const managed = {
    [fullKey("aws")]: {},
    [fullKey("build")]: {},
    [fullKey("postgres")]: { managed: true },
    [fullKey("redis")]: { managed: true },
  };

  test("all that a stack on AWS would have to be told of its cluster", async () => {
    const { context, podNetwork, aws, models, build } = await load(managed, configuration);
    expect({ context, podNetwork, aws, models, build }).toMatchObject(configuration);
  });

  test("what it would otherwise be asked for, key by key", async () => {
    await expect(load(managed, {})).rejects.toThrow(
      /podNetwork is missing[\s\S]*context is missing[\s\S]*aws\.region is missing[\s\S]*aws\.vpcId is missing/,
    );
  });
});

describe("the roles of CI", () => {
  const statements = (name: string): Statement[] => inputsOf(name).policy.Statement;
  const allowed = (name: string) =>
    statements(name)
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => Action);
  const allows = (action: string) =>
    allowed("ci-prod-policy").some((pattern) =>
      new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(action),
    );

  test("a preview changes nothing and reads no secret that matters", () => {
    const changing = allowed("ci-preview-policy").filter(
      (action) => !/:(Get|List|Describe|Decrypt)/.test(action),
    );
    expect(changing).toEqual([]);
    expect(allowed("ci-preview-policy").filter((action) => action.includes("*"))).toEqual([]);
    const keys = statements("ci-preview-policy")
      .filter(({ Action }) => Action.includes("kms:Decrypt"))
      .flatMap(({ Resource }) => Resource);
    expect(keys).toEqual([expect.stringMatching(/:key\/state-preview-secrets$/)]);
    expect(inputsOf("ci-preview-access-policy").policyArn).toMatch(/\/AmazonEKSViewPolicy$/);
  });

  test.each(["preview", "prod"])("%s is taken on by that environment alone", (environment) => {
    const [statement] = JSON.parse(inputsOf(`ci-${environment}-role`).assumeRolePolicy).Statement;
    expect(statement.Condition).toEqual({
      StringEquals: {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": `repo:example@123456/image-service@456789:environment:${environment}`,
      },
    });
  });

  test("a deployment's session lasts as long as the workflow asks for", () => {
    const { jobs } = parse(readFileSync(join(repository, ".github/workflows/up.yml"), "utf8"));
    const asked = (jobs.up.steps as Props[]).flatMap(
      (step) => step.with?.["role-duration-seconds"] ?? [],
    );
    expect([inputsOf("ci-prod-role").maxSessionDuration]).toEqual(asked);
  });

  /** The permission that makes a kind of resource; those of a kind's siblings come with it. */
  const making: Record<string, string> = {
    "aws:ec2/securityGroup:SecurityGroup": "ec2:CreateSecurityGroup",
    "aws:elasticache/parameterGroup:ParameterGroup": "elasticache:CreateCacheParameterGroup",
    "aws:elasticache/replicationGroup:ReplicationGroup": "elasticache:CreateReplicationGroup",
    "aws:elasticache/subnetGroup:SubnetGroup": "elasticache:CreateCacheSubnetGroup",
    "aws:iam/role:Role": "iam:CreateRole",
    "aws:iam/rolePolicy:RolePolicy": "iam:PutRolePolicy",
    "aws:rds/instance:Instance": "rds:CreateDBInstance",
    "aws:rds/parameterGroup:ParameterGroup": "rds:CreateDBParameterGroup",
    "aws:rds/subnetGroup:SubnetGroup": "rds:CreateDBSubnetGroup",
    "aws:s3/bucket:Bucket": "s3:CreateBucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration":
      "s3:PutLifecycleConfiguration",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration":
      "s3:PutBucketObjectLockConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy": "s3:PutBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
      "s3:PutEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning": "s3:PutBucketVersioning",
  };
  const made = Object.entries(accepted("alternatives")).filter(([, { type }]) =>
    type.startsWith("aws:"),
  );

  test.each(made)("a deployment may make %s", (_, { type }) => {
    expect(allows(making[type] ?? type)).toBe(true);
  });

  test("a deployment gives roles to the service's pods, and changes none of the cluster's", () => {
    const patterns = statements("ci-prod-policy")
      .filter(({ Action }) => Action.includes("iam:CreateRole"))
      .flatMap(({ Resource }) => Resource)
      .map((arn) => new RegExp(`^${arn.split("/")[1]?.replaceAll("*", ".*")}$`));
    const may = (role: string) => patterns.some((pattern) => pattern.test(`${role}-1a2b3c4`));
    const rolesOf = (stack: ReturnType<typeof accepted>) =>
      Object.entries(stack).flatMap(([name, { type }]) =>
        type === "aws:iam/role:Role" ? name : [],
      );
    expect(rolesOf(accepted("alternatives")).filter((role) => !may(role))).toEqual([]);
    expect(rolesOf(eks).filter(may)).toEqual([]);
  });
});
