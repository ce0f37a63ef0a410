import { describe, expect, test } from "vitest";
import { BackupBucket } from "../../../components/aws/backupBucket";
import { accepted } from "../../golden/stacks";
import { declared } from "../declared";

describe("the bucket of the backups", async () => {
  const { inputs } = await declared(
    () => new BackupBucket("backup-bucket", { lockDays: 30, keepDays: 90, protect: true }),
  );

  test("keeps every version for as long as the lock says", () => {
    expect(inputs["backup-bucket-store"]).toMatchObject({ objectLockEnabled: true });
    expect(inputs["backup-bucket-versioning"]?.versioningConfiguration).toEqual({
      status: "Enabled",
    });
    expect(inputs["backup-bucket-lock"]?.rule).toEqual({
      defaultRetention: { mode: "COMPLIANCE", days: 30 },
    });
  });

  test("stays when the stack is destroyed, with all that guards it", () => {
    const ofBucket = Object.values(accepted("prod")).filter(({ type }) =>
      type.startsWith("aws:s3/"),
    );
    expect(ofBucket).toHaveLength(8);
    for (const resource of ofBucket) expect(resource).toMatchObject({ retainOnDelete: true });
  });

  test("drops dumps after keepDays, and what the lock held after that; pictures stay", () => {
    expect(inputs["backup-bucket-lifecycle"]?.rules).toMatchObject([
      { filter: { prefix: "database/" }, expiration: { days: 90 } },
      { filter: {}, noncurrentVersionExpiration: { noncurrentDays: 30 } },
    ]);
  });
});
