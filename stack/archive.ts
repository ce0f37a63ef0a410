import type * as pulumi from "@pulumi/pulumi";
import { BaseBackups } from "../components/backups/baseBackups";
import { RestoreDrill } from "../components/backups/restoreDrill";
import type { Component } from "../components/component";
import type { Archive } from "../components/stores/archive";
import { Postgres } from "../components/stores/postgres";
import type { Store } from "../components/stores/store";
import type { Config } from "../config";
import type { Buckets } from "./buckets";
import type { Identities } from "./identities";

/** Where the database's archive goes. */
export const archiveOf = (
  { secrets, backups }: Config,
  buckets: Buckets,
  identities: Identities,
): Archive => ({
  bucket: buckets.backups,
  identity: identities.postgres,
  cipherPass: secrets.archiveCipherPass,
  keepDays: backups.keepDays,
});

/** What fills it by the clock, and proves that it can be read. RDS and CloudNativePG do so themselves. */
export function keepArchive(
  config: Config,
  database: Store,
  image: pulumi.Input<string>,
  archive: Archive,
  identities: Identities,
  options: pulumi.ComponentResourceOptions,
): Component[] {
  if (!(database instanceof Postgres)) return [];
  const { namespace, backups, postgres } = config;
  const { timeZone, resources } = backups;
  const { storage, storageClass } = postgres;
  return [
    new BaseBackups("base-backups", { namespace, database, timeZone, resources }, options),
    new RestoreDrill(
      "restore-drill",
      {
        ...{ namespace, database, image, archive, timeZone, storage, storageClass },
        identity: identities["restore-drill"],
        resources: postgres.resources,
      },
      options,
    ),
  ];
}
