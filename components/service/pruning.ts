import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { labels } from "../names";
import { serviceUid } from "./api";
import type { ServiceSettings } from "./serviceSettings";

export interface PruningArgs extends ComponentArgs {
  namespace: string;
  /** By digest; target `api` of docker/service. */
  image: pulumi.Input<string>;
  /** Where pictures are: in a store that deletes nothing by itself. */
  settings: ServiceSettings;
  /** Days after which a picture is deleted, and what one was drawn from. */
  days: number;
}

/** CronJob `pruning`: what S3's own rules do, for the store in the cluster. */
export class Pruning extends Component {
  constructor(name: string, args: PruningArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Pruning", name, args, opts);
    const metadata = { name, namespace: args.namespace, labels: labels(name) };
    new k8s.batch.v1.CronJob(
      `${name}-job`,
      {
        metadata,
        spec: {
          // Any hour will do; not that of the backup.
          schedule: "30 4 * * *",
          concurrencyPolicy: "Forbid",
          jobTemplate: {
            spec: {
              backoffLimit: 3,
              template: {
                metadata: { labels: labels(name) },
                spec: {
                  ...restrictedPod(serviceUid),
                  restartPolicy: "Never",
                  containers: [
                    {
                      ...restrictedContainer,
                      name: "pruning",
                      image: args.image,
                      command: ["python", "-m", "tasks.pruning", String(args.days)],
                      envFrom: args.settings.envFrom,
                      resources: {
                        requests: { cpu: "10m", memory: "64Mi" },
                        limits: { memory: "256Mi" },
                      },
                      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                    },
                  ],
                  volumes: [scratch("tmp")],
                },
              },
            },
          },
        },
      },
      this.child,
    );
    this.flows.push({ from: labels(name), ...args.settings.bucket });
    this.registerOutputs();
  }
}
