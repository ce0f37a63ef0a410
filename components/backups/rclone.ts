import type * as pulumi from "@pulumi/pulumi";
import type { Bucket } from "../stores/bucket";

/**
 * A bucket's server as a remote of rclone's, which reads them from its environment.
 * https://rclone.org/docs/#environment-variables
 */
export function rcloneRemote(remote: string, bucket: Bucket): Record<string, pulumi.Input<string>> {
  const prefix = `RCLONE_CONFIG_${remote.toUpperCase()}`;
  return {
    [`${prefix}_TYPE`]: "s3",
    [`${prefix}_PROVIDER`]: bucket.endpoint ? "Other" : "AWS",
    [`${prefix}_REGION`]: bucket.region,
    ...(bucket.endpoint && { [`${prefix}_ENDPOINT`]: bucket.endpoint }),
    ...(bucket.keys
      ? {
          [`${prefix}_ACCESS_KEY_ID`]: bucket.keys.accessKeyId,
          [`${prefix}_SECRET_ACCESS_KEY`]: bucket.keys.secretAccessKey,
        }
      : // The pod's role: https://rclone.org/s3/#authentication
        { [`${prefix}_ENV_AUTH`]: "true" }),
    // The bucket is there, and the writer may not make one.
    [`${prefix}_NO_CHECK_BUCKET`]: "true",
  };
}
