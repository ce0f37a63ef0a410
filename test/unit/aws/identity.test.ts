import { describe, expect, test } from "vitest";
import { type Props, podOf, type Resource } from "../../../policy/resource";
import { resourcesOf } from "../../golden/resources";
import { accepted, stacks } from "../../golden/stacks";
import { plain } from "../../golden/whole";

// Who pods are to AWS: by the clusters' own tokens in one stack, by the agent of EKS in the other.

const inputsOf = (stack: string, name: string) => plain(accepted(stack)[name]?.inputs) as Props;
const byTokens = (name: string) => inputsOf("alternatives", name);
const byAgent = (name: string) => inputsOf("prod", name);

/** CloudNativePG's pods run as an account by the name of their Cluster. */
const operatedBy = ({ type, props }: Resource): string[] =>
  type.endsWith(":Cluster") ? [props.metadata.name] : [];

describe.each(stacks)("in %s", (stack) => {
  const resources = resourcesOf(stack);

  test("there is no user of IAM and no key that lives on", () => {
    const keys = resources.filter(({ type }) => /^aws:iam\/(user|accessKey)/.test(type));
    expect(keys).toEqual([]);
  });

  test("each role is one service account's, which one kind of pods runs as", () => {
    const users = resources.flatMap(
      (resource) => podOf(resource)?.spec.serviceAccountName ?? operatedBy(resource),
    );
    // Who has a part in Kubernetes has none in AWS.
    const bound = resources
      .filter(({ type }) => type.endsWith("RoleBinding"))
      .flatMap(({ props }) => props.subjects as { name: string }[])
      .map(({ name }) => name);
    const accounts = [...new Set(users)].filter((account) => !bound.includes(account));
    const roles = resources.filter(({ type }) => type.endsWith(":PodRole")).map(({ name }) => name);
    expect(accounts.map((account) => `${account}-role`).sort()).toEqual(roles.sort());
  });
});

const read = ["s3:ListBucket", "s3:GetObject"];
const write = ["s3:PutObject", "s3:AbortMultipartUpload"];
const [pictures, backups] = ["pictures-bucket-store", "backup-bucket-store"];

test.each([
  ["api", { [`${pictures}/*`]: [...read, "s3:DeleteObject"], [`${pictures}/inputs/*`]: write }],
  [
    "aigc-worker",
    {
      [`${pictures}/inputs/*`]: read,
      [`${pictures}/outputs/*`]: write,
      [`${pictures}/compiled/*`]: [...read, ...write],
    },
  ],
  ["backup", { [`${pictures}/*`]: read, [`${backups}/*`]: [...read, ...write] }],
  [
    "restore",
    { [`${pictures}/*`]: read, [`${pictures}/outputs/*`]: write, [`${backups}/*`]: read },
  ],
  ["models", { "weights-example-com/*": read }],
])("%s may do what it does, and nothing else", (app, rights) => {
  expect(byTokens(`${app}-role-policy`).policy.Statement).toEqual(statements(rights));
});

test("the database writes its archive, and beside it only reads dumps", () => {
  const rights = {
    [`${backups}/archive/*`]: [...read, ...write, "s3:DeleteObject"],
    [`${backups}/database/*`]: read,
  };
  expect(byAgent("postgres-role-policy").policy.Statement).toEqual(statements(rights));
});

/** Of what may be done with which objects. */
function statements(rights: Record<string, string[]>) {
  return Object.entries(rights).map(([objects, actions]) => ({
    Effect: "Allow",
    Action: actions,
    Resource: [`arn:aws:s3:::${objects.split("/")[0]}`, `arn:aws:s3:::${objects}`],
  }));
}

describe("by the cluster's tokens", () => {
  const issuer = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE";

  test("the role is the service account's alone, and only before STS", () => {
    const [statement] = byTokens("api-role-identity").assumeRolePolicy.Statement;
    expect(statement).toMatchObject({
      Action: "sts:AssumeRoleWithWebIdentity",
      Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${issuer}` },
      Condition: {
        StringEquals: {
          [`${issuer}:sub`]: "system:serviceaccount:image-service:api",
          [`${issuer}:aud`]: "sts.amazonaws.com",
        },
      },
    });
  });

  test("the service account is annotated with it", () => {
    expect(byTokens("api-identity").metadata).toMatchObject({
      name: "api",
      annotations: { "eks.amazonaws.com/role-arn": expect.stringMatching(/role\/api-role/) },
    });
  });

  test("nothing looks for an agent", () => {
    expect(Object.values(accepted("alternatives")).map(({ type }) => type)).not.toContain(
      "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    );
  });
});

describe("by the agent of EKS", () => {
  test("the role is the service account's alone, in this cluster", () => {
    const [statement] = byAgent("backup-role-identity").assumeRolePolicy.Statement;
    expect(statement).toEqual({
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:RequestTag/eks-cluster-name": "the-cluster",
          "aws:RequestTag/kubernetes-namespace": "image-service",
          "aws:RequestTag/kubernetes-service-account": "backup",
        },
      },
    });
  });

  test("pods come after the association, without which they are given nothing", () => {
    expect(accepted("prod")["backups-identity"]?.dependencies).toContain("backup-role-association");
    expect(accepted("prod")["backups-backup"]?.dependencies).toContain("backups-identity");
    expect(byAgent("backup-role-association")).toMatchObject({
      clusterName: "the-cluster",
      serviceAccount: "backup",
    });
  });
});

test("no pod with a role is given keys, not even empty ones, which would be taken for keys", () => {
  const settings = byTokens("settings-secret").stringData;
  expect(Object.keys(settings)).toEqual(["DATABASE_URL", "REDIS_URL"]);
  const backup = byAgent("backups-environment").stringData;
  expect(backup.RCLONE_CONFIG_BACKUP_ENV_AUTH).toBe("true");
  expect(backup).not.toHaveProperty("RCLONE_CONFIG_BACKUP_ACCESS_KEY_ID");
});
