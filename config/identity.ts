import { eksClusterArn } from "../components/vendors";
import type { Values } from "./rules/rule";

/** Who vouches for the cluster's pods before AWS; nobody where they have keys, or are unknown to it. */
export function roleGiver({ aws, context }: Pick<Values, "aws" | "context">) {
  const { accessKeys, oidcProviderArn, eksCluster } = aws;
  if (accessKeys) return undefined;
  if (oidcProviderArn) return { oidcProviderArn };
  const [, region, name] = eksClusterArn.exec(context) ?? [];
  const cluster = eksCluster || (region === aws.region && name);
  return cluster ? { eksCluster: cluster } : undefined;
}
