import { z } from "zod";
import { oidcProviderArn } from "../../components/vendors";

/** Keys of `aws` that say who pods are to it, one of them. */
export const identity = {
  eksCluster: z
    .string()
    .default("")
    .describe(
      "EKS cluster whose Pod Identity gives pods their roles; empty: of context, if that is its ARN",
    ),
  oidcProviderArn: z
    .union([
      z.literal(""),
      z.string().regex(oidcProviderArn, "must be an ARN of IAM: …:oidc-provider/…"),
    ])
    .default("")
    .describe("Or the cluster's identity provider in IAM, before which its own tokens do (IRSA)"),
  accessKeys: z
    .boolean()
    .default(false)
    .describe("Or users of IAM with keys, for a cluster whose pods can't be given roles"),
};
