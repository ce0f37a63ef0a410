import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod } from "../kubernetes/pods";
import { labels } from "../names";
import type { Postgres } from "../stores/postgres";

export interface BaseBackupsArgs extends ComponentArgs {
  namespace: string;
  /** Whose image has the program that orders them, and which makes them itself. */
  database: Postgres;
  /** Whose clock the schedule follows, an IANA name. */
  timeZone: string;
  resources: Resources;
}

const [nightly, first] = ["base-backup", "first-base-backup"];
/** Apart from the nightly dump. */
const schedule = "0 4 * * *";

/** What a restore begins with: one when the stack comes up, then CronJob `base-backup` every night. */
export class BaseBackups extends Component {
  constructor(name: string, args: BaseBackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("BaseBackups", name, args, opts);
    const { namespace, database } = args;
    this.flows.push(...[nightly, first].map((app) => ({ from: labels(app), ...database.server })));
    const environment = new k8s.core.v1.Secret(
      `${name}-environment`,
      { metadata: { namespace }, stringData: { DATABASE_URL: database.url } },
      this.child,
    );
    const job = (app: string, ...command: string[]): k8s.types.input.batch.v1.JobSpec => ({
      backoffLimit: 3,
      template: {
        metadata: { labels: labels(app) },
        spec: {
          ...restrictedPod(database.uid),
          restartPolicy: "Never",
          containers: [
            {
              ...restrictedContainer,
              name: app,
              image: database.image,
              command,
              envFrom: [{ secretRef: { name: environment.metadata.name } }],
              resources: args.resources,
            },
          ],
        },
      },
    });
    new k8s.batch.v1.Job(
      `${name}-first`,
      {
        metadata: { namespace, labels: labels(first) },
        spec: job(first, "order-base-backup", "--first"),
      },
      { ...this.child, dependsOn: database },
    );
    new k8s.batch.v1.CronJob(
      `${name}-nightly`,
      {
        metadata: { name: nightly, namespace, labels: labels(nightly) },
        spec: {
          schedule,
          timeZone: args.timeZone,
          concurrencyPolicy: "Forbid",
          // Late is better than never, after hours in which the cluster was down.
          startingDeadlineSeconds: 12 * 3600,
          jobTemplate: { spec: job(nightly, "order-base-backup") },
        },
      },
      this.child,
    );
    this.registerOutputs();
  }
}
