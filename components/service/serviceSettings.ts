import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import type { Bucket } from "../stores/bucket";

export interface ServiceSettingsArgs extends ComponentArgs {
  namespace: string;
  /** The operator's key, checked against `Authorization: Bearer`. */
  apiSecret: pulumi.Input<string>;
  /** postgresql://… */
  databaseUrl: pulumi.Input<string>;
  /** redis://… */
  redisUrl: pulumi.Input<string>;
  /** Where pictures are kept. */
  bucket: Bucket;
  /** URL under which clients reach the service. */
  publicUrl: string;
  /** CIDR of the peers whose X-Real-IP is believed: nginx's pods. */
  trustedProxies: string;
  /** Requests a minute per client IP on generate, e.g. "10/minute". */
  rateLimit: string;
  /** Directory name of the model's weights, or the repository they come from. */
  modelId: string;
}

/** The environment that api and workers share. Its name changes with its content, which rolls both. */
export class ServiceSettings extends Component {
  /** For a container's `envFrom`. */
  readonly envFrom: k8s.types.input.core.v1.EnvFromSource[];

  constructor(name: string, args: ServiceSettingsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ServiceSettings", name, args, opts);
    const metadata = { namespace: args.namespace };
    const { bucket } = args;
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata,
        stringData: {
          API_SECRET: args.apiSecret,
          DATABASE_URL: args.databaseUrl,
          REDIS_URL: args.redisUrl,
          AWS_ACCESS_KEY_ID: bucket.accessKeyId,
          AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey,
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
          PUBLIC_URL: args.publicUrl,
          TRUSTED_PROXIES: args.trustedProxies,
          RATE_LIMIT: args.rateLimit,
          MODEL_ID: args.modelId,
        },
      },
      this.child,
    );
    this.envFrom = [
      { secretRef: { name: secret.metadata.name } },
      { configMapRef: { name: config.metadata.name } },
    ];
    this.registerOutputs();
  }
}
