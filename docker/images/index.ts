import { readFileSync } from "node:fs";
import { join } from "node:path";

type Name =
  | "alertmanager"
  | "cloudflared"
  | "debian"
  | "nginx"
  | "nginx-exporter"
  | "postgres"
  | "postgres-exporter"
  | "prometheus"
  | "redis"
  | "redis-exporter"
  | "versitygw"
  | "victorialogs";

const file = readFileSync(join(__dirname, "Dockerfile"), "utf8");
const stages = [...file.matchAll(/^FROM (\S+) AS (\S+)$/gm)];

/** Images that others publish: repository:tag@sha256:…, by the name of their stage in Dockerfile. */
export const published = Object.fromEntries(
  stages.map(([, reference, name]) => [name, reference]),
) as Record<Name, string>;
