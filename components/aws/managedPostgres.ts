import * as rds from "@pulumi/aws/rds";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { aigc, ports } from "../names";
import { elsewhere, type Server } from "../network/flows";
import { databaseAlerts } from "../stores/alerts";
import { parameterFamily } from "../vendors";
import { type StoreNetwork, storeSecurityGroup } from "./storeNetwork";

export interface ManagedPostgresArgs extends ComponentArgs, StoreNetwork {
  /** As `storePassword` of vendors.ts has it, since RDS refuses others. */
  password: pulumi.Input<string>;
  /** E.g. "db.t4g.medium". */
  instanceClass: string;
  /** Of PostgreSQL, e.g. "18". */
  engineVersion: string;
  /** Size of the disk at first, in GiB; it grows by itself to four times that. */
  storageGiB: number;
  /** Makes changes at once, with a short outage; else in the next maintenance window. */
  applyImmediately: boolean;
  /** Refuses to delete the database, in Pulumi and in AWS. */
  protect: boolean;
}

const backupDays = 14;

/** The truth on RDS, in two availability zones: what Postgres is in the cluster. */
export class ManagedPostgres extends Component {
  /** postgresql://user:password@host:port/database?sslmode=require, secret. */
  readonly url: pulumi.Output<string>;
  readonly server: Server = elsewhere(ports.postgres);

  constructor(name: string, args: ManagedPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ManagedPostgres", name, args, opts);
    // It grows by itself up to there.
    const maxAllocatedStorage = 4 * args.storageGiB;
    const subnets = new rds.SubnetGroup(
      `${name}-subnets`,
      { description: `Subnets of ${name}`, subnetIds: args.subnetIds },
      this.child,
    );
    const securityGroup = storeSecurityGroup(name, args, ports.postgres, this.child);
    const parameters = new rds.ParameterGroup(
      `${name}-parameters`,
      {
        family: parameterFamily("postgres", args.engineVersion),
        description: `Parameters of ${name}`,
        parameters: [{ name: "rds.force_ssl", value: "1" }],
      },
      this.child,
    );
    const server = new rds.Instance(
      `${name}-server`,
      {
        engine: "postgres",
        engineVersion: args.engineVersion,
        // Asked for by engineVersion alone.
        allowMajorVersionUpgrade: true,
        instanceClass: args.instanceClass,
        dbName: aigc,
        username: aigc,
        password: args.password,
        port: ports.postgres,
        parameterGroupName: parameters.name,
        dbSubnetGroupName: subnets.name,
        vpcSecurityGroupIds: [securityGroup.id],
        publiclyAccessible: false,
        multiAz: true,
        storageType: "gp3",
        storageEncrypted: true,
        allocatedStorage: args.storageGiB,
        maxAllocatedStorage,
        backupRetentionPeriod: backupDays,
        deleteAutomatedBackups: false,
        copyTagsToSnapshot: true,
        applyImmediately: args.applyImmediately,
        deletionProtection: args.protect,
        skipFinalSnapshot: false,
        // Its id is its name: its random digits are in no other stack's, nor in this one's next.
        finalSnapshotIdentifier: pulumi.interpolate`${subnets.id}-final`,
        enabledCloudwatchLogsExports: ["postgresql"],
        performanceInsightsEnabled: true,
      },
      { ...this.child, protect: args.protect },
    );
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql://${aigc}:${args.password}@${server.endpoint}/${aigc}?sslmode=require`,
    );
    this.alerts.push(...databaseAlerts(maxAllocatedStorage * 2 ** 30));
    this.registerOutputs({ url: this.url });
  }
}
