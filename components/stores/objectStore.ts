import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";
import type { Server } from "../network/flows";
import type { Bucket, Keys } from "./bucket";

export interface ObjectStoreArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; versitygw on the PATH. */
  image: string;
  /** Names of its buckets. */
  buckets: string[];
  keys: Keys;
  resources: Resources;
}

const uid = 65534;
const root = "/data/buckets";

/** An S3 endpoint in the cluster, for a cluster without AWS: versitygw over a volume. */
export class ObjectStore extends Component {
  readonly app: string;
  /** URL inside the cluster. */
  readonly endpoint: string;
  /** One bucket each, in the order of the names. */
  readonly buckets: Bucket[];

  constructor(name: string, args: ObjectStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ObjectStore", name, args, opts);
    const { namespace } = args;
    this.app = name;
    const server: Server = { to: this, ports: [ports.s3] };
    this.flows.push({ from: "operators", ...server });
    const metadata = { name, namespace, labels: labels(name) };
    const mounts = [
      { name: "data", mountPath: "/data" },
      { name: "tmp", mountPath: "/tmp" },
    ];
    const credentials = new k8s.core.v1.Secret(
      `${name}-credentials`,
      {
        metadata: { namespace },
        stringData: {
          ROOT_ACCESS_KEY: args.keys.accessKeyId,
          ROOT_SECRET_KEY: args.keys.secretAccessKey,
        },
      },
      this.child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      { metadata, spec: { selector: labels(name), ports: [{ name: "s3", port: ports.s3 }] } },
      this.child,
    );
    singleReplica(
      name,
      {
        metadata,
        service,
        volume: args,
        pod: {
          ...restrictedPod(uid),
          initContainers: [
            {
              ...restrictedContainer,
              name: "bucket",
              image: args.image,
              // The gateway shows each directory under its root as a bucket.
              command: ["mkdir", "-p", ...args.buckets.map((bucket) => `${root}/${bucket}`)],
              resources: args.resources,
              volumeMounts: mounts,
            },
          ],
          containers: [
            {
              ...restrictedContainer,
              name: "versitygw",
              image: args.image,
              command: ["versitygw", "--port", `:${ports.s3}`, "posix", root],
              envFrom: [{ secretRef: { name: credentials.metadata.name } }],
              ports: [{ name: "s3", containerPort: ports.s3 }],
              resources: args.resources,
              readinessProbe: { tcpSocket: { port: "s3" }, periodSeconds: 5 },
              volumeMounts: mounts,
            },
          ],
          volumes: [scratch("tmp")],
        },
      },
      this.child,
    );
    this.endpoint = `http://${serviceHost(name, namespace)}:${ports.s3}`;
    this.buckets = args.buckets.map((bucket) => ({
      name: bucket,
      region: "us-east-1",
      endpoint: this.endpoint,
      server,
      keys: args.keys,
    }));
    this.registerOutputs({ endpoint: this.endpoint });
  }
}
