import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { singleReplica, type VolumeArgs } from "../kubernetes/statefulSet";
import { labels, ports, serviceHost } from "../names";
import type { Server } from "../network/flows";
import { bytes } from "../vendors";
import { redisAlerts, redisPersistenceFails } from "./alerts";
import { onlooker } from "./exporter";

export interface RedisArgs extends ComponentArgs, VolumeArgs {
  namespace: string;
  /** By digest; Redis 8. */
  image: string;
  password: pulumi.Input<string>;
  /** Of a user that may look and do nothing else. @default there is none */
  onlookerPassword?: pulumi.Input<string>;
  resources: Resources;
}

const uid = 999;
/** Share of the memory limit that data may take; the rest is for rewriting the append-only file. */
const dataShare = 0.5;

/**
 * The queue and the rate limits. It holds nothing that PostgreSQL could not give back: the relay
 * fills an emptied queue again. When memory is full it refuses writes and evicts nothing.
 */
export class Redis extends Component {
  /** redis://:password@host:port/0, secret. */
  readonly url: pulumi.Output<string>;
  readonly app: string;
  readonly server: Server;

  constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Redis", name, args, opts);
    const { namespace } = args;
    this.app = name;
    this.server = { to: this, ports: [ports.redis] };
    this.alerts.push(...redisAlerts, redisPersistenceFails);
    const metadata = { name, namespace, labels: labels(name) };
    const config = new k8s.core.v1.Secret(
      `${name}-config`,
      {
        metadata: { namespace },
        stringData: {
          "redis.conf": pulumi.interpolate`${renderRedisConf(args.resources.limits.memory)}requirepass ${args.password}\n${
            args.onlookerPassword ? renderOnlooker(args.onlookerPassword) : ""
          }`,
          password: args.password,
        },
      },
      this.child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: labels(name),
          ports: [{ name: "redis", port: ports.redis }],
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
          containers: [
            {
              ...restrictedContainer,
              name: "redis",
              image: args.image,
              command: ["redis-server", "/etc/redis/redis.conf"],
              ports: [{ name: "redis", containerPort: ports.redis }],
              env: [
                {
                  name: "REDISCLI_AUTH",
                  valueFrom: { secretKeyRef: { name: config.metadata.name, key: "password" } },
                },
              ],
              resources: args.resources,
              // PONG only once the append-only file is loaded.
              readinessProbe: {
                exec: { command: ["sh", "-c", "redis-cli ping | grep -q PONG"] },
                periodSeconds: 5,
                timeoutSeconds: 3,
              },
              livenessProbe: { tcpSocket: { port: "redis" }, failureThreshold: 6 },
              volumeMounts: [
                { name: "data", mountPath: "/data" },
                { name: "config", mountPath: "/etc/redis", readOnly: true },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            {
              name: "config",
              secret: {
                secretName: config.metadata.name,
                items: [{ key: "redis.conf", path: "redis.conf" }],
              },
            },
            scratch("tmp"),
          ],
        },
      },
      this.child,
    );
    this.url = pulumi.secret(
      pulumi.interpolate`redis://:${args.password}@${serviceHost(name, namespace)}:${ports.redis}/0`,
    );
    this.registerOutputs({ url: this.url });
  }
}

/**
 * https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 * @param memory the pod's limit, a Kubernetes quantity
 */
export function renderRedisConf(memory: string): string {
  return `port ${ports.redis}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory ${Math.floor(dataShare * bytes(memory))}
maxmemory-policy noeviction
`;
}

/**
 * What an exporter asks, and nothing of the data or of the configuration, which has the password.
 * https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 */
const renderOnlooker = (password: pulumi.Input<string>) =>
  pulumi.interpolate`user ${onlooker} on >${password} -@all +ping +info +client|setname +slowlog|len +slowlog|get +latency|latest +latency|histogram\n`;
