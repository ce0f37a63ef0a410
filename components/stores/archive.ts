import * as pulumi from "@pulumi/pulumi";
import type { Identity } from "../kubernetes/serviceAccount";
import { archiveFolder } from "../names";
import { s3Url } from "../vendors";
import type { Bucket } from "./bucket";

/** Where copies of a database and all its changes go, from which it can be had as of any moment. */
export interface Archive {
  bucket: Bucket;
  /** Encrypts all of it; who loses it loses the archive. */
  cipherPass: pulumi.Input<string>;
  /** How far back one can go, in days. */
  keepDays: number;
  /** Who its pods are to a bucket that has no keys: they read, write and expire in its folder. */
  identity?: Identity;
}

/**
 * Fetches a segment of WAL. One that can't be read ends the recovery: any failure but a shell's is
 * the archive's end to PostgreSQL, and all that came later would be lost.
 * https://www.postgresql.org/docs/18/runtime-config-wal.html#GUC-RESTORE-COMMAND
 */
const restoreCommand =
  'pgbackrest archive-get %f "%p"; status=$?; [ $status -le 1 ] && exit $status; exit 255';

/** pgBackRest's options, which it reads from its environment: https://pgbackrest.org/configuration.html */
export function renderArchive({
  bucket,
  cipherPass,
  keepDays,
  identity,
}: Archive): Record<string, pulumi.Input<string>> {
  const options: Record<string, pulumi.Input<string>> = {
    STANZA: "main",
    REPO1_TYPE: "s3",
    REPO1_PATH: `/${archiveFolder}`,
    REPO1_S3_BUCKET: bucket.name,
    REPO1_S3_REGION: bucket.region,
    ...(bucket.endpoint
      ? { REPO1_S3_ENDPOINT: bucket.endpoint, REPO1_S3_URI_STYLE: "path" }
      : { REPO1_S3_ENDPOINT: pulumi.output(bucket.region).apply(s3Url) }),
    ...(bucket.keys
      ? {
          REPO1_S3_KEY: bucket.keys.accessKeyId,
          REPO1_S3_KEY_SECRET: bucket.keys.secretAccessKey,
        }
      : { REPO1_S3_KEY_TYPE: identity?.annotated ? "web-id" : "pod-id" }),
    REPO1_CIPHER_TYPE: "aes-256-cbc",
    REPO1_CIPHER_PASS: cipherPass,
    // Small files go together, and of large ones only the blocks that have changed.
    REPO1_BUNDLE: "y",
    REPO1_BLOCK: "y",
    REPO1_RETENTION_FULL_TYPE: "time",
    REPO1_RETENTION_FULL: String(keepDays),
    COMPRESS_TYPE: "zst",
    // Segments go side by side, ahead of PostgreSQL's asking.
    ARCHIVE_ASYNC: "y",
    SPOOL_PATH: "/tmp/pgbackrest",
    RECOVERY_OPTION: `restore_command=${restoreCommand}`,
    START_FAST: "y",
    PROCESS_MAX: "2",
    LOG_LEVEL_FILE: "off",
  };
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [`PGBACKREST_${name}`, value]),
  );
}
