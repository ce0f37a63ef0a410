import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import type { VolumeArgs } from "../kubernetes/statefulSet";
import { labels } from "../names";
import { https, toAgent } from "../network/flows";
import type { Bucket } from "../stores/bucket";
import { serviceUid } from "./api";
import { type Companions, companionsEnv } from "./companions";
import { type Lora, lorasEnv } from "./loras";

export interface ModelStoreArgs extends ComponentArgs, VolumeArgs, Companions {
  namespace: string;
  /** That holds them, by digest, made of docker/models; "": a volume, which a Job fills. */
  image: string;
  /** By digest; target `worker` of docker/service. What the Job runs. */
  downloadImage: pulumi.Input<string>;
  /** Repository of the weights, or tiny-sdxl. */
  model: string;
  /** Commit of it; "": SDXL's that docker/service knows. */
  revision: string;
  /** What is kept beside the weights. */
  loras: Lora[];
  /** URL of the hub, a mirror, or a folder of `bucket` (s3://BUCKET/FOLDER) that has them. */
  endpoint: string;
  /** @default `endpoint` is none */
  bucket?: Bucket;
  /** Who the Job is to the bucket, which it reads. @default `bucket` has keys */
  identity?: Identity;
  /** Another one whose service account it shares, in place of `identity`. @default it has its own */
  like?: ModelStore;
  /** Token of the hub's user who may fetch them. @default everybody may */
  hubToken?: pulumi.Input<string>;
  /** ReadWriteOnce serves the pods of one node alone. */
  accessMode: "ReadWriteMany" | "ReadWriteOnce";
  /** Of the Job that fills it. */
  resources: Resources;
}

/**
 * The weights, outside the workers' image: a volume that a Job fills once, each file checked by its
 * SHA-256, or an image of their own, of which each node keeps a copy.
 */
export class ModelStore extends Component {
  readonly app: string;
  readonly model: string;
  /** A registry keeps them, and each node a copy. */
  readonly inImage: boolean;
  /** For a pod's `volumes`. */
  readonly volume: k8s.types.input.core.v1.Volume;
  /** For each container that uses it. */
  readonly mount = { name: "models", mountPath: "/models" };
  /** For each container that loads them. */
  readonly env: k8s.types.input.core.v1.EnvVar[];
  private readonly account: ReturnType<typeof runAs>;

  constructor(name: string, args: ModelStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ModelStore", name, args, opts);
    this.app = name;
    this.model = args.model;
    this.inImage = args.image !== "";
    this.env = [
      { name: "MODEL_DIR", value: this.mount.mountPath },
      { name: "MODEL_ID", value: args.model },
      ...(args.revision ? [{ name: "MODEL_REVISION", value: args.revision }] : []),
      ...companionsEnv(args),
    ];
    this.account =
      args.like?.account ?? runAs(`${name}-identity`, args.namespace, args.identity, this.child);
    this.volume = this.inImage
      ? // https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes
        { name: this.mount.name, image: { reference: args.image } }
      : this.fill(name, args);
    this.registerOutputs();
  }

  /** @returns a volume, and a Job fills it */
  private fill(name: string, args: ModelStoreArgs): k8s.types.input.core.v1.Volume {
    const metadata = { namespace: args.namespace, labels: labels(name) };
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-volume`,
      {
        metadata,
        spec: {
          accessModes: [args.accessMode],
          storageClassName: args.storageClass || undefined,
          resources: { requests: { storage: args.storage } },
        },
      },
      // Retained, so that no update deletes it, whatever is edited; it goes with its namespace.
      { ...this.child, protect: args.protect, retainOnDelete: true },
    );
    const volume = {
      name: this.mount.name,
      persistentVolumeClaim: { claimName: claim.metadata.name },
    };
    const credentials = credentialsOf(args);
    const secret =
      credentials &&
      new k8s.core.v1.Secret(
        `${name}-secret`,
        { metadata: { namespace: args.namespace }, stringData: credentials },
        this.child,
      );
    new k8s.batch.v1.Job(
      `${name}-download`,
      {
        metadata,
        spec: {
          backoffLimit: 4,
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...restrictedPod(serviceUid),
              ...this.account,
              restartPolicy: "OnFailure",
              containers: [
                {
                  ...restrictedContainer,
                  name: "download",
                  image: args.downloadImage,
                  command: ["python", "download_models.py"],
                  ...(secret && { envFrom: [{ secretRef: { name: secret.metadata.name } }] }),
                  env: [
                    ...this.env,
                    ...lorasEnv(args.loras),
                    { name: "HF_ENDPOINT", value: args.endpoint },
                    ...(args.bucket ? [{ name: "AWS_REGION", value: args.bucket.region }] : []),
                  ],
                  resources: args.resources,
                  volumeMounts: [this.mount, { name: "tmp", mountPath: "/tmp" }],
                },
              ],
              volumes: [volume, scratch("tmp")],
            },
          },
        },
      },
      // 7 GB from the hub.
      { ...this.child, customTimeouts: { create: "2h" } },
    );
    // A hub and its mirrors send large files from servers of their own.
    const reached = [...new Set([https, portOf(args.endpoint)])];
    this.flows.push(
      { from: this, to: "anywhere", ports: reached },
      ...toAgent(this, args.identity),
    );
    return volume;
  }
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port ? Number(port) : protocol === "http:" ? 80 : https;
}

/** What shows who fetches the weights, where that is no role. */
function credentialsOf({
  hubToken,
  bucket,
}: ModelStoreArgs): Record<string, pulumi.Input<string>> | undefined {
  if (hubToken) return { HF_TOKEN: hubToken };
  return (
    bucket?.keys && {
      AWS_ACCESS_KEY_ID: bucket.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.keys.secretAccessKey,
    }
  );
}
