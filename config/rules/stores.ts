import { rdsMinimumGiB } from "../../components/vendors";
import { keyArgument } from "../keyPath";
import { managedStore, operatedPostgres } from "./conditions";
import { type Rule, rule, type Values } from "./rule";

export const storeRules: Rule[] = [
  rule(["aws", "postgres", "redis"], (config) => [
    managedStore.holds(config as Values) &&
      config.aws.subnetIds.length === 1 && {
        key: "aws.subnetIds",
        is: JSON.stringify(config.aws.subnetIds),
        but: "must be two or more, in different zones, for a standby",
        fix: `set ${keyArgument(["aws", "subnetIds", 1])} VALUE`,
      },
  ]),
  rule(["postgres"], ({ postgres: { managed, storage } }) => [
    managed &&
      !(/^\d+Gi$/.test(storage) && Number.parseInt(storage, 10) >= rdsMinimumGiB) && {
        key: "postgres.storage",
        is: JSON.stringify(storage),
        but: `must be whole Gi from ${rdsMinimumGiB}Gi on, as RDS sells them`,
        fix: `set --path postgres.storage ${rdsMinimumGiB}Gi`,
      },
  ]),
  // By which the operator knows what it runs: its webhook refuses a digest alone.
  rule(["images", "postgres"], (config) => {
    const { cnpg } = config.images;
    return [
      operatedPostgres.holds(config as Values) &&
        cnpg !== "" &&
        !/:18[^/@]*@/.test(cnpg) && {
          key: "images.cnpg",
          is: JSON.stringify(cnpg),
          but: "must have a tag of PostgreSQL 18 beside its digest",
          fix: "set --path images.cnpg ghcr.io/cloudnative-pg/postgresql:18-system-trixie@sha256:…",
        },
    ];
  }),
  rule(["backups"], ({ backups: { managed, lockDays, keepDays } }) => [
    managed &&
      keepDays < lockDays && {
        key: "backups.keepDays",
        is: String(keepDays),
        but: `must not be below backups.lockDays, ${lockDays}, before which nothing can be deleted`,
        fix: `set --path backups.keepDays ${lockDays}`,
      },
  ]),
];
