import * as iam from "@pulumi/aws/iam";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import { admit } from "./access";
import { deploying, previewing, type Reach } from "./ciPolicies";
import type { Cluster } from "./cluster";
import { federated } from "./identity";

export interface CiArgs extends ComponentArgs, Reach {
  /** OWNER/REPOSITORY, with @ID after each where GitHub's tokens have them: docs/reference/ci.md. */
  github: string;
  cluster: Cluster;
}

/** The longest session that a role can have; the workflow `up` asks for as much. */
const sixHours = 21_600;

/**
 * What GitHub's workflows may do, each in its environment: `preview` reads, `prod` deploys.
 * https://docs.github.com/en/actions/concepts/security/openid-connect#immutable-subject-claims
 */
export class Ci extends Component {
  /** ARN for the variable AWS_ROLE of the environment `preview`. */
  readonly preview: pulumi.Output<string>;
  /** The same of `prod`. */
  readonly deploy: pulumi.Output<string>;

  constructor(name: string, args: CiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Ci", name, args, opts);
    const { github, cluster } = args;
    const host = "token.actions.githubusercontent.com";
    const { arn } = new iam.OpenIdConnectProvider(
      `${name}-github`,
      { url: `https://${host}`, clientIdLists: ["sts.amazonaws.com"] },
      this.child,
    );
    const roleOf = (environment: string, policy: iam.PolicyDocument, session?: number) => {
      const role = new iam.Role(
        `${name}-${environment}-role`,
        {
          assumeRolePolicy: federated({ arn, host }, `repo:${github}:environment:${environment}`),
          maxSessionDuration: session,
        },
        this.child,
      );
      new iam.RolePolicy(`${name}-${environment}-policy`, { role: role.name, policy }, this.child);
      return role.arn;
    };
    this.preview = roleOf("preview", previewing(args));
    this.deploy = roleOf("prod", deploying(args), sixHours);
    // Of everything but Secrets. What it may not try, Pulumi shows without asking the server.
    admit(`${name}-preview-access`, cluster, this.preview, "AmazonEKSViewPolicy", this.child);
    admit(`${name}-prod-access`, cluster, this.deploy, "AmazonEKSClusterAdminPolicy", this.child);
    this.registerOutputs({ preview: this.preview, deploy: this.deploy });
  }
}
