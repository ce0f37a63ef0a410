import { Provider as Aws } from "@pulumi/aws/provider";
import { Provider as Cloudflare } from "@pulumi/cloudflare/provider";
import * as k8s from "@pulumi/kubernetes";
import type { ComponentResourceOptions, ProviderResource } from "@pulumi/pulumi";
import { adoptClaims } from "../components/kubernetes/claims";
import { podSettings } from "../components/kubernetes/podSettings";
import type { Config } from "../config";
import { pullSecrets } from "./images";

/**
 * Connects to the cluster, and to what of AWS and Cloudflare the configuration asks for.
 * @returns options of every component: the providers, the namespace that comes first, and what all pods get
 */
export function connect(config: Config) {
  const toCluster: k8s.ProviderArgs = {
    // "" and not undefined, for which the SDK puts $KUBECONFIG into the stack's state: a path of
    // whoever ran it last. The plugin reads it then, as kubectl does (provider.go, Configure).
    kubeconfig: config.kubeconfig,
    context: config.context || undefined,
    // Without it, an edit of the kubeconfig could replace everything.
    clusterIdentifier: "image-service",
  };
  const cluster = new k8s.Provider("cluster", toCluster);
  // For them alone: what else is there already is somebody's, and an error.
  const claims = new k8s.Provider("claims", {
    ...toCluster,
    upsertExistingObjects: true,
    // Kubernetes' StatefulSet controller owns the size of those that it made.
    enablePatchForce: true,
  });
  const providers: ProviderResource[] = [cluster];
  const { aws } = config;
  if (aws.region) {
    providers.push(
      new Aws("aws", { region: aws.region as AwsRegion, defaultTags: { tags: aws.tags } }),
    );
  }
  if (config.cloudflare.mode !== "off") {
    providers.push(new Cloudflare("cloudflare", { apiToken: config.secrets.cloudflareApiToken }));
  }
  const home = new k8s.core.v1.Namespace(
    "namespace",
    {
      metadata: {
        name: config.namespace,
        labels: { "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    // With it would go all that is in it, volumes too.
    { provider: cluster, protect: config.protect },
  );
  const options = { providers, dependsOn: [home] };
  const transformations = [
    podSettings({ ...config.pods, pullSecrets: pullSecrets(config, options) }),
    adoptClaims(claims),
  ];
  return { ...options, transformations } satisfies ComponentResourceOptions;
}

type AwsRegion = ConstructorParameters<typeof Aws>[1] extends { region?: infer Region } | undefined
  ? Region
  : never;
