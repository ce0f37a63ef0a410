import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { dockerHub } from "../vendors";

export interface RegistryCredentialsArgs extends ComponentArgs {
  namespace: string;
  /** Host of the registry; "": Docker Hub. */
  server: string;
  username: pulumi.Input<string>;
  password: pulumi.Input<string>;
}

/**
 * The password with which nodes fetch images.
 * https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
 */
export class RegistryCredentials extends Component {
  /** For a pod's `imagePullSecrets`. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: RegistryCredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("RegistryCredentials", name, args, opts);
    const { server, username, password } = args;
    const auths = pulumi
      .all([username, password])
      .apply(([user, secret]) => ({ [server || dockerHub]: { username: user, password: secret } }));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { namespace: args.namespace },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": pulumi.secret(pulumi.jsonStringify({ auths })) },
      },
      this.child,
    );
    this.secretName = secret.metadata.name;
    this.registerOutputs({ secretName: this.secretName });
  }
}
