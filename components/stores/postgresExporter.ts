import * as pulumi from "@pulumi/pulumi";
import type { ComponentArgs } from "../component";
import { ports } from "../names";
import { databaseServerAlerts } from "./alerts";
import { Exporter, onlooker, onlookerPassword } from "./exporter";
import type { Store } from "./store";

export interface PostgresExporterArgs extends ComponentArgs {
  namespace: string;
  /** By digest; prometheus-community/postgres_exporter. */
  image: string;
  /** By digest; docker/backup, which makes the role. */
  roleImage: pulumi.Input<string>;
  database: Store;
  /** Of the database's owner. */
  password: pulumi.Input<string>;
}

/** PostgreSQL's own statistics, read by a role that may read nothing else. */
export class PostgresExporter extends Exporter {
  constructor(name: string, args: PostgresExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { database } = args;
    const password = onlookerPassword(args.password);
    super(
      "PostgresExporter",
      name,
      {
        ...args,
        // https://github.com/prometheus-community/postgres_exporter/blob/v0.19.1/README.md
        command: [
          "/bin/postgres_exporter",
          `--web.listen-address=:${ports.postgresExporter}`,
          // 300 series that never change.
          "--disable-settings-metrics",
        ],
        port: ports.postgresExporter,
        readyPath: "/",
        env: {
          DATA_SOURCE_URI: pulumi.output(database.url).apply(withoutUser),
          DATA_SOURCE_USER: onlooker,
          DATA_SOURCE_PASS: password,
        },
        before: {
          image: args.roleImage,
          command: ["monitoring-role", onlooker],
          env: { DATABASE_URL: database.url, PASSWORD: password },
        },
        server: database.server,
        alerts: databaseServerAlerts(name),
      },
      opts,
    );
  }
}

/** HOST:PORT/DATABASE?sslmode=…; its driver asks for TLS where an address does not say. */
function withoutUser(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host}${pathname}?sslmode=${searchParams.get("sslmode") ?? "disable"}`;
}
