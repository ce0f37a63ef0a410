import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import type { Resources } from "../kubernetes/pods";
import type { VolumeArgs } from "../kubernetes/statefulSet";
import { aigc, archiveFolder, labels, ports, serviceHost } from "../names";
import { apiServer, type Server, toAgent } from "../network/flows";
import { tooFewPods } from "../observability/alerts";
import { bytes, postgresConnections, roleAnnotation } from "../vendors";
import { archiveFails, databaseAlerts } from "./alerts";
import type { Archive } from "./archive";

export interface PostgresClusterArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; one of CloudNativePG's for PostgreSQL 18. */
  image: string;
  /** Pods: one that is written to, and standbys of it. */
  replicas: number;
  password: pulumi.Input<string>;
  /** How many connections it takes follows the memory limit. */
  resources: Resources;
  archive: Archive;
  /** Where CloudNativePG's own pods are. */
  operatorNamespace: string;
}

const [cnpg, barman] = ["postgresql.cnpg.io/v1", "barmancloud.cnpg.io/v1"];
/** https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/ */
const plugin = "barman-cloud.cloudnative-pg.io";
/** As CronJob `base-backup` has it; with seconds before the minutes. */
const schedule = "0 0 4 * * *";

/**
 * The truth, kept by the operator CloudNativePG, which has to be installed with its Barman Cloud
 * plugin: one server that is written to, and standbys, of which one takes its place.
 * https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.28.0/docs/src/cloudnative-pg.v1.md
 */
export class PostgresCluster extends Component {
  /** postgresql://user:password@host:port/database, secret; of whichever pod is written to. */
  readonly url: pulumi.Output<string>;
  readonly app: string;
  readonly server: Server;

  constructor(name: string, args: PostgresClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("PostgresCluster", name, args, opts);
    const { namespace, archive, replicas } = args;
    const { bucket, identity } = archive;
    this.app = name;
    this.server = { to: this, ports: [ports.postgres] };
    this.flows.push(
      // https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.28.0/docs/src/networking.md
      {
        from: { namespace: args.operatorNamespace },
        to: this,
        ports: [ports.postgres, ports.cnpgStatus],
      },
      { from: this, to: this, ports: [ports.postgres, ports.cnpgStatus] },
      // Each pod tells Kubernetes how it is.
      { from: this, to: "anywhere", ports: apiServer },
      { from: this, ...bucket.server },
      ...toAgent(this, identity),
    );
    this.alerts.push(
      ...databaseAlerts(bytes(args.storage)),
      archiveFails,
      tooFewPods(name, name, replicas, "10m"),
    );
    const metadata = { name, namespace, labels: labels(name) };
    // Fails in a preview, with this name, where the cluster doesn't know them.
    const installed = [
      ["cloudnative-pg", "clusters.postgresql.cnpg.io"],
      ["barman-cloud-plugin", "objectstores.barmancloud.cnpg.io"],
    ].map(([what, definition]) =>
      k8s.apiextensions.v1.CustomResourceDefinition.get(
        `${name}-needs-${what}-installed`,
        definition as string,
        this.child,
      ),
    );
    const credentials = new k8s.core.v1.Secret(
      `${name}-credentials`,
      {
        // Another password reaches the database at once.
        metadata: { namespace, labels: { "cnpg.io/reload": "true" } },
        type: "kubernetes.io/basic-auth",
        stringData: { username: aigc, password: args.password },
      },
      this.child,
    );
    const objectStore = new k8s.apiextensions.CustomResource(
      `${name}-archive`,
      {
        apiVersion: barman,
        kind: "ObjectStore",
        metadata: { ...metadata, name: `${name}-archive` },
        spec: {
          retentionPolicy: `${archive.keepDays}d`,
          configuration: {
            destinationPath: pulumi.interpolate`s3://${bucket.name}/${archiveFolder}`,
            endpointURL: bucket.endpoint,
            s3Credentials: this.#bucketCredentials(name, args),
            wal: { compression: "zstd", maxParallel: 4 },
            data: { compression: "snappy" },
          },
        },
      },
      { ...this.child, dependsOn: installed },
    );
    const cluster = new k8s.apiextensions.CustomResource(
      `${name}-cluster`,
      {
        apiVersion: cnpg,
        kind: "Cluster",
        metadata,
        spec: {
          instances: replicas,
          // Else a pod that is told to end waits three minutes for clients to go, which hold their
          // connections for good.
          smartShutdownTimeout: 0,
          // Of a primary that answers nobody its operator learns by three of these.
          probes: { readiness: { periodSeconds: 5 } },
          imageName: args.image,
          // By which Services and NetworkPolicies know its pods.
          inheritedMetadata: { labels: labels(name) },
          bootstrap: {
            initdb: {
              database: aigc,
              owner: aigc,
              secret: { name: credentials.metadata.name },
              encoding: "UTF8",
              localeCollate: "C.UTF-8",
              localeCType: "C.UTF-8",
              dataChecksums: true,
            },
          },
          postgresql: {
            parameters: {
              max_connections: String(postgresConnections(args.resources.limits.memory)),
              archive_timeout: "30s",
            },
            ...(replicas > 1 && { synchronous: synchronous(replicas) }),
          },
          plugins: [
            {
              name: plugin,
              isWALArchiver: true,
              parameters: { barmanObjectName: objectStore.metadata.name },
            },
          ],
          storage: { size: args.storage, storageClass: args.storageClass || undefined },
          resources: args.resources,
          serviceAccountTemplate: identity?.annotated && {
            metadata: { annotations: { [roleAnnotation]: identity.annotated } },
          },
        },
      },
      // Its volumes go with it.
      {
        ...this.child,
        dependsOn: identity ? [objectStore, identity] : objectStore,
        protect: args.protect,
        retainOnDelete: true,
      },
    );
    new k8s.apiextensions.CustomResource(
      `${name}-base-backups`,
      {
        apiVersion: cnpg,
        kind: "ScheduledBackup",
        metadata: { ...metadata, name: "base-backup" },
        spec: {
          cluster: { name },
          schedule,
          immediate: true,
          backupOwnerReference: "cluster",
          method: "plugin",
          pluginConfiguration: { name: plugin },
        },
      },
      { ...this.child, dependsOn: cluster },
    );
    const metrics = `${name}-metrics`;
    new k8s.core.v1.Service(
      metrics,
      {
        metadata: { ...metadata, name: metrics },
        spec: {
          clusterIP: "None",
          selector: labels(name),
          ports: [{ name: "metrics", port: ports.cnpgMetrics }],
        },
      },
      this.child,
    );
    this.targets.push({
      job: name,
      app: name,
      host: serviceHost(metrics, namespace),
      port: ports.cnpgMetrics,
    });
    const host = serviceHost(`${name}-rw`, namespace);
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql://${aigc}:${args.password}@${host}:${ports.postgres}/${aigc}`,
    );
    this.registerOutputs({ url: this.url });
  }

  #bucketCredentials(name: string, { namespace, archive: { bucket } }: PostgresClusterArgs) {
    if (!bucket.keys) return { inheritFromIAMRole: true };
    const secret = new k8s.core.v1.Secret(
      `${name}-bucket`,
      {
        metadata: { namespace },
        stringData: {
          accessKeyId: bucket.keys.accessKeyId,
          secretAccessKey: bucket.keys.secretAccessKey,
          region: bucket.region,
        },
      },
      this.child,
    );
    const at = (key: string) => ({ name: secret.metadata.name, key });
    return {
      accessKeyId: at("accessKeyId"),
      secretAccessKey: at("secretAccessKey"),
      region: at("region"),
    };
  }
}

/**
 * What is committed is on a standby, too, so that no failover loses it. With two standbys it never is
 * on one server alone; with one it is while that one is away.
 * https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.28.0/docs/src/replication.md
 */
const synchronous = (replicas: number) =>
  replicas > 2
    ? { method: "any", number: 1, dataDurability: "required", failoverQuorum: true }
    : { method: "any", number: 1, dataDurability: "preferred" };
