import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import {
  type Resources,
  restrictedContainer,
  restrictedPod,
  scratch,
  sharedMemory,
} from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import { labels } from "../names";
import { toAgent } from "../network/flows";
import type { Alert } from "../observability/alerts";
import { type Archive, renderArchive } from "../stores/archive";
import type { Postgres } from "../stores/postgres";
import { rcloneRemote } from "./rclone";

export interface RestoreDrillArgs extends ComponentArgs {
  namespace: string;
  /** By digest; docker/backup. */
  image: pulumi.Input<string>;
  database: Postgres;
  archive: Archive;
  /** Who its pods are to a bucket without keys: they read backups. */
  identity?: Identity;
  /** Whose clock the schedule follows, an IANA name. */
  timeZone: string;
  /** Size of the volume that the database is restored into, a Kubernetes quantity. */
  storage: string;
  /** Its class; "": the cluster's default. */
  storageClass: string;
  resources: Resources;
}

const app = "restore-drill";
/** After Sunday's base backup, which copies all of the database. */
const schedule = "0 6 * * 0";
const days = 86_400;

const alerts: Alert[] = [
  {
    name: "RestoreDrillFailed",
    when: "max(aigc_restore_drill_failed) == 1",
    for: "5m",
    severity: "page",
    summary: "The database could not be restored from its archive as it should.",
    action: "kubectl get jobs -l app=restore-drill, and the log of the last one.",
  },
  {
    name: "RestoreDrillOld",
    when: `time() - max(aigc_restore_drill_last_success_timestamp_seconds > 0) > ${8 * days}`,
    for: "10m",
    severity: "ticket",
    summary:
      "The last good restore of the database for practice was {{ $value | humanizeDuration }} ago.",
    action: "kubectl create job --from=cronjob/restore-drill restore-drill-now",
  },
  {
    name: "RestoreDrillMissing",
    when: "max(aigc_restore_drill_last_success_timestamp_seconds) == 0",
    for: "8d",
    severity: "ticket",
    summary: "Nobody has ever tried to restore the database.",
    action: "kubectl create job --from=cronjob/restore-drill restore-drill-now",
  },
  {
    name: "RestoreDrillLate",
    when: "max(aigc_restore_drill_lost_seconds) > 60 or max(aigc_restore_drill_restore_seconds) > 300",
    for: "5m",
    severity: "ticket",
    summary:
      "A restore would lose more than a minute, or take more than five: it is {{ $value | humanizeDuration }}.",
    action: "The log of the last restore-drill; base backups more often make it shorter.",
  },
];

/** CronJob `restore-drill`: restores the database into a scratch volume every week, and compares. */
export class RestoreDrill extends Component {
  constructor(name: string, args: RestoreDrillArgs, opts?: pulumi.ComponentResourceOptions) {
    super("RestoreDrill", name, args, opts);
    const { namespace, database, archive, identity, storage, storageClass } = args;
    const { bucket } = archive;
    const from = labels(app);
    this.flows.push(
      { from, ...database.server },
      { from, ...bucket.server },
      ...toAgent(from, identity),
    );
    this.alerts.push(...alerts);
    const environment = new k8s.core.v1.Secret(
      `${name}-environment`,
      {
        metadata: { namespace },
        stringData: {
          DATABASE_URL: database.url,
          BACKUP_BUCKET: bucket.name,
          ...rcloneRemote("backup", bucket),
          ...renderArchive({ ...archive, identity }),
          PGBACKREST_PG1_PATH: "/scratch/data",
        },
      },
      this.child,
    );
    const metadata = { name: app, namespace, labels: from };
    new k8s.batch.v1.CronJob(
      `${name}-weekly`,
      {
        metadata,
        spec: {
          schedule,
          timeZone: args.timeZone,
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: days,
          jobTemplate: {
            spec: {
              backoffLimit: 1,
              template: {
                metadata: { labels: from },
                spec: {
                  ...restrictedPod(database.uid),
                  ...runAs(`${name}-identity`, namespace, identity, this.child),
                  restartPolicy: "Never",
                  containers: [
                    {
                      ...restrictedContainer,
                      name: app,
                      image: args.image,
                      command: [app],
                      envFrom: [{ secretRef: { name: environment.metadata.name } }],
                      resources: args.resources,
                      volumeMounts: [
                        { name: "scratch", mountPath: "/scratch" },
                        { name: "tmp", mountPath: "/tmp" },
                        sharedMemory.mount,
                      ],
                    },
                  ],
                  volumes: [
                    {
                      name: "scratch",
                      // It goes with the pod.
                      ephemeral: {
                        volumeClaimTemplate: {
                          spec: {
                            accessModes: ["ReadWriteOnce"],
                            storageClassName: storageClass || undefined,
                            resources: { requests: { storage } },
                          },
                        },
                      },
                    },
                    scratch("tmp"),
                    sharedMemory.volume,
                  ],
                },
              },
            },
          },
        },
      },
      this.child,
    );
    this.registerOutputs();
  }
}
