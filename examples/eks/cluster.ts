import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as eks from "@pulumi/aws/eks";
import * as iam from "@pulumi/aws/iam";
import * as kms from "@pulumi/aws/kms";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../../components/component";
import { type Issuer, managedRole, servicePrincipal } from "./identity";

export interface ClusterArgs extends ComponentArgs {
  /** Its name in AWS. */
  clusterName: string;
  /** Like 1.37. */
  version: string;
  subnetIds: pulumi.Input<string>[];
  /** Networks, as CIDRs, that reach the API server from outside. */
  apiNetworks: string[];
  region: string;
  /** Refuses to delete it, in Pulumi and in AWS. */
  protect: boolean;
}

const logDays = 90;

/** The control plane of EKS. Whoever makes it administers it. */
export class Cluster extends Component {
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  /** Of nodes, and with the API server. */
  readonly securityGroupId: pulumi.Output<string>;
  /** Vouches for service accounts. */
  readonly issuer: Issuer & { host: pulumi.Output<string> };
  readonly provider: k8s.Provider;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Cluster", name, args, opts);
    const held = { ...this.child, protect: args.protect };
    const key = new kms.Key(
      `${name}-secrets`,
      { description: `Secrets of the cluster ${args.clusterName}`, enableKeyRotation: true },
      held,
    );
    const logs = new cloudwatch.LogGroup(
      `${name}-logs`,
      // EKS makes it itself where there is none, and keeps it for ever.
      { name: `/aws/eks/${args.clusterName}/cluster`, retentionInDays: logDays },
      this.child,
    );
    const controlPlane = new eks.Cluster(
      `${name}-control-plane`,
      {
        name: args.clusterName,
        version: args.version,
        roleArn: managedRole(
          `${name}-role`,
          servicePrincipal("eks.amazonaws.com"),
          ["AmazonEKSClusterPolicy"],
          this.child,
        ),
        vpcConfig: {
          subnetIds: args.subnetIds,
          endpointPrivateAccess: true,
          endpointPublicAccess: true,
          publicAccessCidrs: args.apiNetworks,
        },
        accessConfig: {
          authenticationMode: "API",
          bootstrapClusterCreatorAdminPermissions: true,
        },
        // Add-ons are declared, each with its settings.
        bootstrapSelfManagedAddons: false,
        encryptionConfig: { provider: { keyArn: key.arn }, resources: ["secrets"] },
        enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        deletionProtection: args.protect,
      },
      { ...held, dependsOn: logs },
    );
    this.name = controlPlane.name;
    this.arn = controlPlane.arn;
    this.version = controlPlane.version;
    this.securityGroupId = controlPlane.vpcConfig.clusterSecurityGroupId;
    const url = controlPlane.identities.apply(
      (identities) => identities[0]?.oidcs?.[0]?.issuer ?? "",
    );
    const { arn } = new iam.OpenIdConnectProvider(
      `${name}-issuer`,
      { url, clientIdLists: ["sts.amazonaws.com"] },
      this.child,
    );
    this.issuer = { arn, host: url.apply((url) => url.replace("https://", "")) };
    this.provider = new k8s.Provider(
      `${name}-kubernetes`,
      { kubeconfig: kubeconfig(controlPlane, args.region), clusterIdentifier: args.clusterName },
      this.child,
    );
    this.registerOutputs({ arn: this.arn });
  }
}

/** What `aws eks update-kubeconfig` writes: it holds no secret, a token is asked for each time. */
function kubeconfig(cluster: eks.Cluster, region: string): pulumi.Output<string> {
  const { arn, name, endpoint, certificateAuthority } = cluster;
  return pulumi.jsonStringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: arn,
        cluster: {
          server: endpoint,
          "certificate-authority-data": certificateAuthority.data,
        },
      },
    ],
    contexts: [{ name: arn, context: { cluster: arn, user: arn } }],
    "current-context": arn,
    users: [
      {
        name: arn,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: ["eks", "get-token", "--cluster-name", name, "--region", region],
          },
        },
      },
    ],
  });
}
