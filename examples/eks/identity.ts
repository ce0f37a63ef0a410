import * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";

// Who may take on a role, and what comes with it.

/** A role of AWS's own services, like eks.amazonaws.com. */
export const servicePrincipal = (service: string): iam.PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
});

/** An identity provider of IAM: who vouches for those that come by OIDC. */
export interface Issuer {
  arn: pulumi.Input<string>;
  /** Host and path, without https://. */
  host: pulumi.Input<string>;
}

/** Whoever an issuer vouches for as `subject`, in which * stands for anything. */
export const federated = (issuer: Issuer, subject: string): pulumi.Output<string> =>
  pulumi.all([issuer.arn, issuer.host]).apply(([Federated, host]) => {
    const audience = { [`${host}:aud`]: "sts.amazonaws.com" };
    const who = { [`${host}:sub`]: subject };
    const Condition = subject.includes("*")
      ? { StringEquals: audience, StringLike: who }
      : { StringEquals: { ...audience, ...who } };
    const Statement = [
      {
        Effect: "Allow",
        Principal: { Federated },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition,
      },
    ];
    return JSON.stringify({ Version: "2012-10-17", Statement });
  });

/** A service account of the cluster, as its tokens name it. */
export const serviceAccount = (name: string) => `system:serviceaccount:kube-system:${name}`;

/**
 * A role with policies that AWS keeps up to date, such as service-role/AmazonEBSCSIDriverPolicy:
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 * @returns its ARN, once the policies are on it
 */
export function managedRole(
  name: string,
  assumeRolePolicy: iam.RoleArgs["assumeRolePolicy"],
  policies: string[],
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const role = new iam.Role(name, { assumeRolePolicy }, opts);
  const attached = policies.map(
    (policy) =>
      new iam.RolePolicyAttachment(
        `${name}-${policy.replace(/.*\//, "")}`,
        { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
        opts,
      ).id,
  );
  return pulumi.all([role.arn, attached]).apply(([arn]) => arn);
}
