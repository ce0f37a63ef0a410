import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import { labels } from "../names";
import { toAgent } from "../network/flows";
import type { Alert } from "../observability/alerts";
import { serviceUid } from "../service/api";
import type { ModelStore } from "../service/modelStore";
import type { Bucket } from "../stores/bucket";
import type { Store } from "../stores/store";
import { rcloneRemote } from "./rclone";

export interface BackupsArgs extends ComponentArgs {
  namespace: string;
  /** By digest; docker/backup. */
  image: pulumi.Input<string>;
  /** When, in cron's five fields. */
  schedule: string;
  /** Whose clock the schedule follows, an IANA name. */
  timeZone: string;
  database: Store;
  /** Where the service keeps its pictures. */
  source: Bucket;
  /** Holds the weights. */
  models: ModelStore;
  /** Where backups go. */
  destination: Bucket;
  /** Who its pods are to the buckets that have no keys: they read pictures and add backups. */
  identity?: Identity;
  /** Who the pods of a restore are: they read backups and add pictures. */
  restoreIdentity?: Identity;
  /** Days after which a picture is deleted; 0 keeps it. */
  pictureDays: number;
  /** Room for one dump of the database, a Kubernetes quantity. */
  scratch: string;
  resources: Resources;
}

const hours = 3_600;
/** A day between two backups, and two hours for one. */
const greatestAge = 26 * hours;
/** When pictures are compared, after the night's backup: cron's five fields. */
const scrubSchedule = "0 5 * * *";

const alerts: Alert[] = [
  {
    name: "BackupOld",
    when: `time() - max(aigc_backup_last_success_timestamp_seconds > 0) > ${greatestAge}`,
    for: "10m",
    severity: "page",
    summary: "The newest backup is {{ $value | humanizeDuration }} old; there is one each night.",
    action: "kubectl get jobs -l app=backup, and the log of the last one.",
  },
  {
    name: "BackupMissing",
    when: "max(aigc_backup_last_success_timestamp_seconds) == 0",
    for: "26h",
    severity: "page",
    summary: "There has never been a backup.",
    action: "kubectl create job --from=cronjob/backup backup-now, and read its log.",
  },
  {
    name: "PictureDamaged",
    when: "max(aigc_damaged_pictures) > 0",
    for: "5m",
    severity: "ticket",
    summary: "{{ $value }} pictures are gone, or not what their records say.",
    action: "kubectl logs job/NAME of the last of: kubectl get jobs -l app=scrub.",
  },
  {
    name: "ScrubOld",
    when: `time() - max(aigc_scrub_last_success_timestamp_seconds > 0) > ${72 * hours}`,
    for: "10m",
    severity: "ticket",
    summary: "For {{ $value | humanizeDuration }} no pictures were compared with their records.",
    action: "kubectl get jobs -l app=scrub, and the log of the last one.",
  },
  {
    name: "ScrubMissing",
    when: "max(aigc_scrub_last_success_timestamp_seconds) == 0",
    for: "72h",
    severity: "ticket",
    summary: "Pictures have never been compared with their records.",
    action: "kubectl create job --from=cronjob/scrub scrub-now, and read its log.",
  },
];

/**
 * CronJob `backup`: a dump of the database, its pictures and the models, into a bucket. CronJob
 * `scrub` compares pictures with their records. CronJob `restore` never runs by itself; it is what a
 * Job that puts a backup back is made from.
 */
export class Backups extends Component {
  constructor(name: string, args: BackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Backups", name, args, opts);
    const { namespace, database, source, destination, models } = args;
    const environment = new k8s.core.v1.Secret(
      `${name}-environment`,
      {
        metadata: { namespace },
        stringData: {
          DATABASE_URL: database.url,
          S3_BUCKET: source.name,
          BACKUP_BUCKET: destination.name,
          PICTURE_DAYS: String(args.pictureDays),
          ...rcloneRemote("store", source),
          ...rcloneRemote("backup", destination),
        },
      },
      this.child,
    );
    const cronJob = (
      command: "backup" | "scrub" | "restore",
      account: ReturnType<typeof runAs>,
      spec: Partial<k8s.types.input.batch.v1.CronJobSpec>,
    ) =>
      new k8s.batch.v1.CronJob(
        `${name}-${command}`,
        {
          metadata: { name: command, namespace, labels: labels(command) },
          spec: {
            schedule: args.schedule,
            timeZone: args.timeZone,
            concurrencyPolicy: "Forbid",
            ...spec,
            jobTemplate: {
              spec: {
                backoffLimit: 3,
                template: {
                  metadata: { labels: labels(command) },
                  spec: {
                    // Who may read the weights.
                    ...restrictedPod(serviceUid),
                    ...account,
                    restartPolicy: "Never",
                    containers: [
                      {
                        ...restrictedContainer,
                        name: command,
                        image: args.image,
                        command: [command],
                        envFrom: [{ secretRef: { name: environment.metadata.name } }],
                        resources: args.resources,
                        volumeMounts: [
                          { name: "tmp", mountPath: "/tmp" },
                          ...(models.inImage ? [] : [{ ...models.mount, readOnly: true }]),
                        ],
                      },
                    ],
                    volumes: [
                      { name: "tmp", emptyDir: { sizeLimit: args.scratch } },
                      // A registry keeps what is in an image.
                      ...(models.inImage ? [] : [models.volume]),
                    ],
                  },
                },
              },
            },
          },
        },
        this.child,
      );
    const reader = runAs(`${name}-identity`, namespace, args.identity, this.child);
    // Late is better than never, after hours in which the cluster was down.
    const startingDeadlineSeconds = 12 * hours;
    cronJob("backup", reader, { startingDeadlineSeconds });
    cronJob("scrub", reader, { startingDeadlineSeconds, schedule: scrubSchedule });
    cronJob(
      "restore",
      runAs(`${name}-restore-identity`, namespace, args.restoreIdentity, this.child),
      { suspend: true },
    );
    const servers = [database.server, source.server, destination.server];
    for (const [command, identity] of [
      ["backup", args.identity],
      ["scrub", args.identity],
      ["restore", args.restoreIdentity],
    ] as const) {
      const from = labels(command);
      this.flows.push(
        ...servers.map((server) => ({ from, ...server })),
        ...toAgent(from, identity),
      );
    }
    this.alerts.push(...alerts);
    this.registerOutputs();
  }
}
