import * as elasticache from "@pulumi/aws/elasticache";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { ports } from "../names";
import { elsewhere, type Server } from "../network/flows";
import { redisAlerts } from "../stores/alerts";
import { parameterFamily } from "../vendors";
import { type StoreNetwork, storeSecurityGroup } from "./storeNetwork";

export interface ManagedRedisArgs extends ComponentArgs, StoreNetwork {
  /** As `storePassword` of vendors.ts has it, since ElastiCache refuses others. */
  password: pulumi.Input<string>;
  /** E.g. "cache.t4g.small". */
  nodeType: string;
  /** Makes changes at once, with a short outage; else in the next maintenance window. */
  applyImmediately: boolean;
  /** Refuses to delete it; `pulumi state unprotect` lifts it. */
  protect: boolean;
}

const version = "8.0";
const snapshotDays = 7;

/**
 * The queue and the rate limits on ElastiCache, in two availability zones: what Redis is in the
 * cluster. Its Redis 8 is Valkey, which speaks the same protocol.
 */
export class ManagedRedis extends Component {
  /** rediss://:password@host:port/0, secret; the second `s` asks for TLS. */
  readonly url: pulumi.Output<string>;
  readonly server: Server = elsewhere(ports.redis);

  constructor(name: string, args: ManagedRedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ManagedRedis", name, args, opts);
    const subnets = new elasticache.SubnetGroup(
      `${name}-subnets`,
      { description: `Subnets of ${name}`, subnetIds: args.subnetIds },
      this.child,
    );
    const securityGroup = storeSecurityGroup(name, args, ports.redis, this.child);
    const parameters = new elasticache.ParameterGroup(
      `${name}-parameters`,
      {
        family: parameterFamily("valkey", version),
        description: `Parameters of ${name}`,
        parameters: [{ name: "maxmemory-policy", value: "noeviction" }],
      },
      this.child,
    );
    const server = new elasticache.ReplicationGroup(
      `${name}-server`,
      {
        description: "The queue and the rate limits",
        engine: "valkey",
        engineVersion: version,
        nodeType: args.nodeType,
        port: ports.redis,
        numCacheClusters: 2,
        multiAzEnabled: true,
        automaticFailoverEnabled: true,
        parameterGroupName: parameters.name,
        subnetGroupName: subnets.name,
        securityGroupIds: [securityGroup.id],
        atRestEncryptionEnabled: true,
        transitEncryptionEnabled: true,
        transitEncryptionMode: "required",
        authToken: args.password,
        // The old token stays good until the pods have the new one.
        authTokenUpdateStrategy: "ROTATE",
        applyImmediately: args.applyImmediately,
        snapshotRetentionLimit: snapshotDays,
        // Its id is its name: its random digits are in no other stack's, nor in this one's next.
        finalSnapshotIdentifier: pulumi.interpolate`${subnets.id}-final`,
      },
      { ...this.child, protect: args.protect },
    );
    this.url = pulumi.secret(
      pulumi.interpolate`rediss://:${args.password}@${server.primaryEndpointAddress}:${ports.redis}/0`,
    );
    this.alerts.push(...redisAlerts);
    this.registerOutputs({ url: this.url });
  }
}
