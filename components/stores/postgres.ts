import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import {
  type Resources,
  restrictedContainer,
  restrictedPod,
  scratch,
  sharedMemory,
} from "../kubernetes/pods";
import { runAs } from "../kubernetes/serviceAccount";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { aigc, labels, ports, serviceHost } from "../names";
import { type Server, toAgent } from "../network/flows";
import { bytes, postgresConnections } from "../vendors";
import { archiveFails, databaseAlerts } from "./alerts";
import { type Archive, renderArchive } from "./archive";

export interface PostgresArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; docker/postgres. */
  image: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** How many connections it takes follows the memory limit. */
  resources: Resources;
  archive: Archive;
}

const uid = 999;
const dataDirectory = "/var/lib/postgresql/data";
const socketDirectory = "/run/postgresql";
/** A segment of WAL is archived when it is full, or half a minute after its first record. */
const archiving = [
  ...["-c", "archive_mode=on", "-c", "archive_command=pgbackrest archive-push %p"],
  ...["-c", "archive_timeout=30s"],
];

/** The truth: task records. */
export class Postgres extends Component {
  /** postgresql://user:password@host:port/database, secret. */
  readonly url: pulumi.Output<string>;
  readonly app: string;
  readonly server: Server;
  readonly image: pulumi.Input<string>;
  /** Of its user. */
  readonly uid = uid;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Postgres", name, args, opts);
    const { namespace, archive } = args;
    this.app = name;
    this.image = args.image;
    this.flows.push({ from: this, ...archive.bucket.server }, ...toAgent(this, archive.identity));
    this.server = { to: this, ports: [ports.postgres] };
    this.alerts.push(...databaseAlerts(bytes(args.storage)), archiveFails);
    const metadata = { name, namespace, labels: labels(name) };
    const volume = { name: "data", mountPath: "/var/lib/postgresql" };
    const credentials = new k8s.core.v1.Secret(
      `${name}-credentials`,
      { metadata: { namespace }, stringData: { password: args.password } },
      this.child,
    );
    const environment = new k8s.core.v1.Secret(
      `${name}-archive`,
      {
        metadata: { namespace },
        stringData: {
          ...renderArchive(archive),
          PGBACKREST_PG1_PATH: dataDirectory,
          PGBACKREST_PG1_SOCKET_PATH: socketDirectory,
          PGBACKREST_PG1_USER: aigc,
        },
      },
      this.child,
    );
    const envFrom = [{ secretRef: { name: environment.metadata.name } }];
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: labels(name),
          ports: [{ name: "postgres", port: ports.postgres }],
        },
      },
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
          ...runAs(`${name}-identity`, namespace, archive.identity, this.child),
          // A checkpoint may take a while.
          terminationGracePeriodSeconds: 120,
          initContainers: [
            {
              ...restrictedContainer,
              name: "initdb",
              image: args.image,
              command: ["prepare-database", ...archiving],
              env: [{ name: "PGDATA", value: dataDirectory }],
              envFrom,
              resources: args.resources,
              volumeMounts: [
                volume,
                { name: "credentials", mountPath: "/credentials", readOnly: true },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          containers: [
            {
              ...restrictedContainer,
              name: "postgres",
              image: args.image,
              command: [
                ...["postgres", "-D", dataDirectory, "-c", "listen_addresses=*"],
                ...["-c", `port=${ports.postgres}`],
                ...["-c", `unix_socket_directories=${socketDirectory}`],
                ...["-c", `max_connections=${postgresConnections(args.resources.limits.memory)}`],
                ...archiving,
              ],
              ports: [{ name: "postgres", containerPort: ports.postgres }],
              env: [{ name: "PGHOST", value: socketDirectory }],
              envFrom,
              resources: args.resources,
              readinessProbe: {
                exec: { command: ["pg_isready", "--quiet"] },
                periodSeconds: 5,
                timeoutSeconds: 3,
              },
              livenessProbe: { tcpSocket: { port: "postgres" }, failureThreshold: 6 },
              // SIGTERM alone would wait for the clients to go, whatever image runs.
              lifecycle: {
                preStop: {
                  exec: {
                    command: ["pg_ctl", "stop", "--mode=fast", "--no-wait", "-D", dataDirectory],
                  },
                },
              },
              volumeMounts: [
                volume,
                { name: "socket", mountPath: socketDirectory },
                { name: "tmp", mountPath: "/tmp" },
                sharedMemory.mount,
              ],
            },
          ],
          volumes: [
            {
              name: "credentials",
              secret: { secretName: credentials.metadata.name, defaultMode: 0o440 },
            },
            scratch("socket"),
            scratch("tmp"),
            sharedMemory.volume,
          ],
        },
      },
      this.child,
    );
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql://${aigc}:${args.password}@${serviceHost(name, namespace)}:${ports.postgres}/${aigc}`,
    );
    this.registerOutputs({ url: this.url });
  }
}
