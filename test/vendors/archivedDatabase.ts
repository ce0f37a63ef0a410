import { GoldenPod } from "./pod";

/**
 * PostgreSQL's pod as the local stack declares it, with a server for its archive beside it.
 * @param beside lines of bash that root runs after that one's start
 * @param image of the local stack, in place of its own
 */
export function archivedDatabase(beside = "", image?: string): GoldenPod {
  const bare = new GoldenPod("local", "postgres-server");
  const { environment } = bare;
  bare.close();
  const option = (name: string) => environment[`PGBACKREST_REPO1_${name}`];
  return new GoldenPod("local", "postgres-server", {
    image,
    programs: ["versitygw"],
    beside: `
      mkdir -p "/tmp/buckets/${option("S3_BUCKET")}"
      ROOT_ACCESS_KEY="${option("S3_KEY")}" ROOT_SECRET_KEY="${option("S3_KEY_SECRET")}" \\
        versitygw --quiet --region "${option("S3_REGION")}" --port localhost:7070 \\
        posix /tmp/buckets >/dev/null &
      until (exec 3<>/dev/tcp/localhost/7070) 2>/dev/null; do sleep 0.1; done
      ${beside}`,
  });
}
