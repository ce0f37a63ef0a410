import { describe, expect, test } from "vitest";
import { PostgresCluster } from "../../../components/stores/postgresCluster";
import type { Props } from "../../../policy/resource";
import { declared, isSecret, resolved } from "../declared";

const bucket = {
  name: "backups",
  region: "us-east-1",
  endpoint: "http://object-store:7070",
  server: { to: { app: "object-store" }, ports: [7070] },
  keys: { accessKeyId: "a key", secretAccessKey: "its secret" },
};
const cluster = (replicas: number) =>
  declared(
    () =>
      new PostgresCluster("postgres", {
        namespace: "ns",
        image: `registry.example/postgresql@sha256:${"1".repeat(64)}`,
        replicas,
        password: "a password",
        storage: "20Gi",
        storageClass: "fast",
        protect: true,
        resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } },
        archive: { bucket, cipherPass: "", keepDays: 30 },
        operatorNamespace: "cnpg-system",
      }),
  );

describe("PostgreSQL by CloudNativePG", async () => {
  const { made, inputs } = await cluster(2);

  test("gives the URL of the pod that is written to, as a secret", async () => {
    expect(await resolved(made.url)).toBe(
      "postgresql://aigc:a password@postgres-rw.ns.svc.cluster.local:5432/aigc",
    );
    expect(await isSecret(made.url)).toBe(true);
  });

  test("archives into a server's bucket with its keys, which are in a Secret", () => {
    expect(inputs["postgres-bucket"]?.stringData).toMatchObject({
      value: { accessKeyId: "a key", secretAccessKey: "its secret", region: "us-east-1" },
    });
    expect(inputs["postgres-archive"]?.spec).toMatchObject({
      retentionPolicy: "30d",
      configuration: {
        destinationPath: "s3://backups/archive",
        endpointURL: "http://object-store:7070",
        s3Credentials: { accessKeyId: { key: "accessKeyId" } },
      },
    });
  });

  test("a commit waits for a standby wherever there is one", async () => {
    const synchronous = async (replicas: number) => {
      const { inputs } = await cluster(replicas);
      return (inputs["postgres-cluster"] as Props).spec.postgresql.synchronous;
    };
    expect(await synchronous(1)).toBeUndefined();
    expect(await synchronous(2)).toMatchObject({ number: 1, dataDurability: "preferred" });
    expect(await synchronous(3)).toMatchObject({
      number: 1,
      dataDurability: "required",
      failoverQuorum: true,
    });
  });
});
