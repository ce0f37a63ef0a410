import { z } from "zod";
import { published } from "../../docker/images";
import { builtImage, group, image, publishedImage } from "../fields";

/** By the part that runs them. */
export const images = {
  api: builtImage("Target `api` of docker/service"),
  worker: builtImage("Target `worker` of docker/service"),
  backup: builtImage("docker/backup"),
  postgres: builtImage("docker/postgres; without postgres.managed and postgres.operator"),
  cnpg: image.describe("PostgreSQL 18 of CloudNativePG, by tag and digest; with postgres.operator"),
  nginx: publishedImage("nginx 1.27.3 or newer", published.nginx),
  nginxExporter: publishedImage("nginx-prometheus-exporter 1.5", published["nginx-exporter"]),
  redis: publishedImage("Redis 8", published.redis),
  prometheus: publishedImage("Prometheus 3", published.prometheus),
  alertmanager: publishedImage("Alertmanager 0.28 or newer", published.alertmanager),
  postgresExporter: publishedImage("postgres_exporter 0.19", published["postgres-exporter"]),
  redisExporter: publishedImage("redis_exporter 1.86", published["redis-exporter"]),
  victoriaLogs: publishedImage("VictoriaLogs 1.52 or newer", published.victorialogs),
  vlagent: image.describe("vlagent 1.52 or newer; with logs.enabled"),
  cloudflared: publishedImage("cloudflared", published.cloudflared),
  objectStore: publishedImage("versitygw 1.0.19 or newer", published.versitygw),
};

export const build = group(
  "Builds docker/service, docker/postgres and docker/backup, and pushes them",
  {
    repository: z
      .string()
      .regex(/^[^\s:@]*(:\d+\/[^\s:@]+)?$/, "must be a repository without a tag, like HOST/PATH")
      .default("")
      .describe("Where they are pushed, like registry.example/image-service; empty: images.*"),
    username: z
      .string()
      .default("")
      .describe("User of the registry; for ECR whoever runs the program"),
  },
);
