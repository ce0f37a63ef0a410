import { roleGiver } from "../identity";
import { awsBuckets } from "./conditions";
import { type Rule, rule, type Values } from "./rule";

/** By key, the text of those of `aws` that say who pods are. */
const given = ({ aws: { eksCluster, oidcProviderArn, accessKeys } }: Pick<Values, "aws">) =>
  Object.entries({
    eksCluster: eksCluster && JSON.stringify(eksCluster),
    oidcProviderArn: oidcProviderArn && JSON.stringify(oidcProviderArn),
    accessKeys: accessKeys && "true",
  }).filter(([, text]) => text);

export const identityRules: Rule[] = [
  rule(["aws", "context", "objectStore", "backups", "models"], (config) => [
    // Without a context, nobody knows whether it is a cluster of EKS.
    config.context !== "" &&
      awsBuckets.holds(config as Values) &&
      !config.aws.accessKeys &&
      !roleGiver(config) && {
        key: "aws.eksCluster",
        is: "missing",
        but: `${awsBuckets.because}; there pods need roles from it, from aws.oidcProviderArn, or aws.accessKeys`,
        fix: "set --path aws.eksCluster NAME",
      },
  ]),
  rule(["aws"], (config) =>
    given(config)
      .slice(1)
      .map(([key, text]) => ({
        key: `aws.${key}`,
        is: String(text),
        but: `aws.${given(config)[0]?.[0]} already says who pods are`,
        fix: `rm --path aws.${key}`,
      })),
  ),
  rule(["objectStore"], ({ objectStore: { managed, bucket } }) => [
    managed &&
      bucket !== "" && {
        key: "objectStore.bucket",
        is: JSON.stringify(bucket),
        but: "objectStore.managed makes one",
        fix: "rm --path objectStore.bucket",
      },
  ]),
];
