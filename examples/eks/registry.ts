import * as ecr from "@pulumi/aws/ecr";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";

export interface RegistryArgs extends ComponentArgs {
  repositoryName: string;
}

/** Images without a tag that are kept to roll back to; what runs has one. */
const kept = 100;

/** Where the service's images are pushed; each is searched for known holes. */
export class Registry extends Component {
  readonly arn: pulumi.Output<string>;
  /** Host and path, as in an image's name. */
  readonly repository: pulumi.Output<string>;

  constructor(name: string, args: RegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Registry", name, args, opts);
    const repository = new ecr.Repository(
      `${name}-images`,
      {
        name: args.repositoryName,
        // A stack's tag moves to what it deploys; pods name digests.
        imageTagMutability: "MUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
      },
      this.child,
    );
    new ecr.LifecyclePolicy(
      `${name}-lifecycle`,
      {
        repository: repository.name,
        policy: {
          rules: [
            {
              rulePriority: 1,
              description: `Keep the last ${kept} that a newer one took the tag from`,
              selection: {
                tagStatus: "untagged",
                countType: "imageCountMoreThan",
                countNumber: kept,
              },
              action: { type: "expire" },
            },
          ],
        },
      },
      this.child,
    );
    this.arn = repository.arn;
    this.repository = repository.repositoryUrl;
    this.registerOutputs({ repository: this.repository });
  }
}
