import type { ComponentResourceOptions } from "@pulumi/pulumi";
import type { Right } from "../components/aws/bucketAccess";
import { PodRole } from "../components/aws/podRole";
import { archiveFolder, dumpFolder, folders } from "../components/names";
import type { Config } from "../config";
import { roleGiver } from "../config/identity";
import type { Buckets } from "./buckets";

export type BucketKind = "pictures" | "backups" | "weights";
type App = "api" | "aigc-worker" | "backup" | "restore" | "models" | "postgres" | "restore-drill";

/** What each app does in the buckets: its role, where they are in AWS, lets it do no more. */
const rights: Record<App, Partial<Record<BucketKind, Right[]>>> = {
  api: { pictures: ["read", "delete", `write ${folders.inputs}`] },
  "aigc-worker": {
    pictures: [
      `read ${folders.inputs}`,
      `write ${folders.outputs}`,
      // What another worker compiled.
      `read ${folders.compiled}`,
      `write ${folders.compiled}`,
    ],
  },
  backup: { pictures: ["read"], backups: ["read", "write"] },
  restore: { pictures: ["read", `write ${folders.outputs}`], backups: ["read"] },
  models: { weights: ["read"] },
  postgres: {
    backups: [
      `read ${archiveFolder}`,
      `write ${archiveFolder}`,
      `delete ${archiveFolder}`,
      // For who lists them there.
      `read ${dumpFolder}`,
    ],
  },
  "restore-drill": {
    backups: [`read ${archiveFolder}`, `read ${dumpFolder}`, `read ${folders.outputs}`],
  },
};

/** RDS keeps its own archive, and CloudNativePG has another. */
const rightsOf = ({ postgres }: Config) =>
  Object.entries(rights).filter(
    ([app]) =>
      !(app === "postgres" && postgres.managed) &&
      !(app === "restore-drill" && (postgres.managed || postgres.operator === "cnpg")),
  );

/** What all apps together do in a bucket. */
export const rightsIn = (config: Config, kind: BucketKind): Right[] => [
  ...new Set(rightsOf(config).flatMap(([, wanted]) => wanted[kind] ?? [])),
];

export type Identities = Partial<Record<App, PodRole>>;

/** Roles of the apps that use buckets of AWS. */
export function makeIdentities(
  config: Config,
  buckets: Buckets,
  options: ComponentResourceOptions,
): Identities {
  const { namespace } = config;
  const giver = roleGiver(config);
  if (!giver) return {};
  return Object.fromEntries(
    rightsOf(config).flatMap(([account, wanted]) => {
      const access = Object.entries(wanted).flatMap(([kind, rights]) => {
        const arn = buckets[kind as BucketKind]?.arn;
        return arn ? [{ arn, rights }] : [];
      });
      if (access.length === 0) return [];
      const args = { namespace, account, access, giver };
      return [[account, new PodRole(`${account}-role`, args, options)]];
    }),
  );
}
