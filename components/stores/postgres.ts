import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { aigc, labels, ports, serviceHost } from "../names";
import type { Server } from "../network/flows";
import { postgresConnections } from "../vendors";
import { databaseDown } from "./alerts";

export interface PostgresArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; PostgreSQL 18, `initdb` and `postgres` on the PATH. */
  image: string;
  password: pulumi.Input<string>;
  /** How many connections it takes follows the memory limit. */
  resources: Resources;
}

const uid = 999;
const dataDirectory = "/var/lib/postgresql/data";
const socketDirectory = "/run/postgresql";

/** The truth: task records. */
export class Postgres extends Component {
  /** postgresql://user:password@host:port/database, secret. */
  readonly url: pulumi.Output<string>;
  readonly app: string;
  readonly server: Server;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Postgres", name, args, opts);
    const { namespace } = args;
    this.app = name;
    this.server = { to: this, ports: [ports.postgres] };
    this.alerts.push(databaseDown);
    const metadata = { name, namespace, labels: labels(name) };
    const volume = { name: "data", mountPath: "/var/lib/postgresql" };
    const credentials = new k8s.core.v1.Secret(
      `${name}-credentials`,
      { metadata: { namespace }, stringData: { password: args.password } },
      this.child,
    );
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
          // A checkpoint may take a while.
          terminationGracePeriodSeconds: 120,
          initContainers: [
            {
              ...restrictedContainer,
              name: "initdb",
              image: args.image,
              command: ["sh", "-euc", renderInitScript()],
              env: [{ name: "PGDATA", value: dataDirectory }],
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
              ],
              ports: [{ name: "postgres", containerPort: ports.postgres }],
              env: [{ name: "PGHOST", value: socketDirectory }],
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
                // The default of /dev/shm, 64 MB, is too small for parallel queries.
                { name: "shm", mountPath: "/dev/shm" },
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
            { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } },
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

/**
 * Makes the cluster beside its final place and renames it, so that a killed start begins anew. One
 * that is there is closed to the group first: the kubelet may have opened the volume to `fsGroup`,
 * and `postgres` refuses such a directory. One that is marked so is set aside, for a major version
 * that can't read it (docs/runbook.md).
 */
export function renderInitScript(): string {
  return `if [ -e "$PGDATA/set-aside" ]; then
  mv "$PGDATA" "$PGDATA-$(cat "$PGDATA/PG_VERSION")"
fi
if [ -s "$PGDATA/PG_VERSION" ]; then
  chmod u=rwx,go= "$PGDATA"
  exit 0
fi
new="$PGDATA.new"
rm -rf "$new"
initdb --pgdata="$new" --username=${aigc} --pwfile=/credentials/password \\
  --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
echo 'create database ${aigc}' | postgres --single -D "$new" postgres
mv "$new" "$PGDATA"
`;
}
