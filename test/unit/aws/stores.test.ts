import { describe, expect, test } from "vitest";
import { ManagedPostgres } from "../../../components/aws/managedPostgres";
import { ManagedRedis } from "../../../components/aws/managedRedis";
import { declared, isSecret, resolved } from "../declared";

const network = {
  vpcId: "vpc-1",
  subnetIds: ["subnet-1", "subnet-2"],
  clients: ["10.1.0.0/16"],
  applyImmediately: false,
};

describe("PostgreSQL on RDS", async () => {
  const { made, inputs } = await declared(
    () =>
      new ManagedPostgres("postgres", {
        ...network,
        password: "a password",
        instanceClass: "db.t4g.medium",
        engineVersion: "18",
        storageGiB: 20,
        protect: true,
      }),
  );
  const server = inputs["postgres-server"];

  test("survives the loss of a zone, and a deletion by mistake", () => {
    expect(server).toMatchObject({ multiAz: true, deletionProtection: true });
    expect(server).toMatchObject({ skipFinalSnapshot: false, backupRetentionPeriod: 14 });
  });

  test("leaves a last snapshot under a name that no other stack's has, nor the next one's", () => {
    // Pulumi ends the name of what has none in the program with random digits.
    expect(inputs["postgres-subnets"]).not.toHaveProperty("name");
    expect(server?.finalSnapshotIdentifier).toBe("postgres-subnets-id-final");
  });

  test("waits for its maintenance window, unless changes shall be made at once", () => {
    expect(server).toMatchObject({ applyImmediately: false });
  });

  test("is encrypted on its disk and refuses connections without TLS", () => {
    expect(server).toMatchObject({ storageEncrypted: true, publiclyAccessible: false });
    expect(inputs["postgres-parameters"]?.parameters).toEqual([
      { name: "rds.force_ssl", value: "1" },
    ]);
  });

  test("lets only the cluster's networks in, on its one port", () => {
    expect(inputs["postgres-security-group"]?.ingress).toEqual([
      { protocol: "tcp", fromPort: 5432, toPort: 5432, cidrBlocks: ["10.1.0.0/16"] },
    ]);
  });

  test("gives the same kind of URL as the one in the cluster, as a secret, over TLS", async () => {
    expect(await resolved(made.url)).toBe(
      "postgresql://aigc:a password@postgres-server.example:5432/aigc?sslmode=require",
    );
    expect(await isSecret(made.url)).toBe(true);
  });
});

describe("Redis on ElastiCache", async () => {
  const { made, inputs } = await declared(
    () =>
      new ManagedRedis("redis", {
        ...network,
        password: "a long password!",
        nodeType: "cache.t4g.small",
        protect: true,
      }),
  );
  const server = inputs["redis-server"];

  test("fails over to another zone by itself", () => {
    expect(server).toMatchObject({
      numCacheClusters: 2,
      multiAzEnabled: true,
      automaticFailoverEnabled: true,
    });
  });

  test("leaves a last snapshot under a name that no other stack's has, nor the next one's", () => {
    // Pulumi ends the name of what has none in the program with random digits.
    expect(inputs["redis-subnets"]).not.toHaveProperty("name");
    expect(server?.finalSnapshotIdentifier).toBe("redis-subnets-id-final");
  });

  test("is encrypted on disk and on the way, and asks for the password", () => {
    expect(server).toMatchObject({
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: "required",
      authToken: expect.anything(),
    });
  });

  test("evicts nothing when it is full", () => {
    expect(inputs["redis-parameters"]?.parameters).toEqual([
      { name: "maxmemory-policy", value: "noeviction" },
    ]);
  });

  test("gives the same kind of URL as the one in the cluster, as a secret, over TLS", async () => {
    expect(await resolved(made.url)).toBe("rediss://:a long password!@redis-server.example:6379/0");
    expect(await isSecret(made.url)).toBe(true);
  });
});
