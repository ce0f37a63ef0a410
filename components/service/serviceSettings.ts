import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Server, serverAt } from "../network/flows";
import type { Bucket } from "../stores/bucket";
import type { Store } from "../stores/store";

export interface ServiceSettingsArgs extends ComponentArgs {
  namespace: string;
  /** PostgreSQL. */
  database: Store;
  /** Redis. */
  queue: Store;
  /** Where pictures are kept. */
  bucket: Bucket;
  traces: Traces;
}

export interface Traces {
  /** URL that takes OTLP over HTTP, without a path; "": nothing is traced. */
  endpoint: string;
  /** Share of requests that are traced, of those that come without a trace of their own; 0 to 1. */
  ratio: number;
}

/** As OpenTelemetry's SDK reads it: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const tracesEnv = ({ endpoint, ratio }: Traces, namespace: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: String(ratio),
  OTEL_RESOURCE_ATTRIBUTES: `service.namespace=${namespace}`,
});

/**
 * The environment that api and workers share: where tasks and pictures are. Its name changes with
 * its content, which rolls both; what only one of them reads is its own.
 */
export class ServiceSettings extends Component {
  /** For a container's `envFrom`. */
  readonly envFrom: k8s.types.input.core.v1.EnvFromSource[];
  /** For the `env` of a container that needs the database alone. */
  readonly databaseUrl: k8s.types.input.core.v1.EnvVar;
  /** The same for the queue. */
  readonly queueUrl: k8s.types.input.core.v1.EnvVar;

  /** What the database's clients connect to. */
  readonly database: Server;
  /** What the queue's clients connect to. */
  readonly queue: Server;
  /** What the pictures' clients connect to. */
  readonly bucket: Server;
  /** What a pod with all of it connects to. */
  readonly servers: Server[];

  constructor(name: string, args: ServiceSettingsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ServiceSettings", name, args, opts);
    const metadata = { namespace: args.namespace };
    const { database, queue, bucket } = args;
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata,
        stringData: {
          DATABASE_URL: database.url,
          REDIS_URL: queue.url,
          // Empty ones would be taken for keys: what is not there lets the pod's role be found.
          ...(bucket.keys && {
            AWS_ACCESS_KEY_ID: bucket.keys.accessKeyId,
            AWS_SECRET_ACCESS_KEY: bucket.keys.secretAccessKey,
          }),
        },
      },
      this.child,
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata,
        data: {
          S3_BUCKET: bucket.name,
          AWS_REGION: bucket.region,
          ...(bucket.endpoint ? { S3_ENDPOINT_URL: bucket.endpoint } : {}),
          ...(args.traces.endpoint && tracesEnv(args.traces, args.namespace)),
        },
      },
      this.child,
    );
    this.envFrom = [
      { secretRef: { name: secret.metadata.name } },
      { configMapRef: { name: config.metadata.name } },
    ];
    const url = (name: string) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret.metadata.name, key: name } },
    });
    this.databaseUrl = url("DATABASE_URL");
    this.queueUrl = url("REDIS_URL");
    this.database = database.server;
    this.queue = queue.server;
    this.bucket = bucket.server;
    this.servers = [
      ...[database.server, queue.server, bucket.server],
      ...(args.traces.endpoint ? [serverAt(args.traces.endpoint)] : []),
    ];
    this.registerOutputs();
  }
}
