import * as pulumi from "@pulumi/pulumi";
import type { ComponentArgs } from "../component";
import { ports } from "../names";
import type { Alert } from "../observability/alerts";
import { redisServerAlerts } from "./alerts";
import { Exporter } from "./exporter";
import type { Store } from "./store";

export interface RedisExporterArgs extends ComponentArgs {
  namespace: string;
  /** By digest; oliver006/redis_exporter. */
  image: string;
  queue: Store;
  /** Who asks. */
  user: string;
  password: pulumi.Input<string>;
  /** Of what only this queue has. */
  alerts: Alert[];
}

/** Redis' own statistics. */
export class RedisExporter extends Exporter {
  constructor(name: string, args: RedisExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "RedisExporter",
      name,
      {
        ...args,
        command: ["/redis_exporter", `--web.listen-address=:${ports.redisExporter}`],
        port: ports.redisExporter,
        readyPath: "/health",
        // https://github.com/oliver006/redis_exporter/blob/v1.86.0/README.md#command-line-flags
        env: {
          REDIS_ADDR: pulumi.output(args.queue.url).apply(addressOf),
          REDIS_USER: args.user,
          REDIS_PASSWORD: args.password,
          // CONFIG GET would tell it the owner's password, and INFO knows the limit of memory.
          REDIS_EXPORTER_CONFIG_COMMAND: "-",
        },
        server: args.queue.server,
        alerts: [...redisServerAlerts(name), ...args.alerts],
      },
      opts,
    );
  }
}

const addressOf = (url: string): string => {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
};
