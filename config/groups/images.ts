import { z } from "zod";
import { group, image, optionalImage } from "../fields";

/** By the part that runs them; rules/needed.ts knows which may be left out. */
export const images = {
  api: optionalImage("Target `api` of docker/service; unless build.repository"),
  worker: optionalImage("Target `worker` of docker/service; unless build.repository"),
  nginx: image("nginx 1.27.3 or newer"),
  redis: optionalImage("Redis 8; unless redis.managed"),
  postgres: optionalImage("PostgreSQL 18; unless postgres.managed"),
  prometheus: image("Prometheus 3"),
  alertmanager: optionalImage("Alertmanager 0.28; with monitoring.alertmanager"),
  cloudflared: optionalImage("cloudflared; with cloudflare.mode tunnel"),
  objectStore: optionalImage("versitygw 1; unless objectStore.bucket and backups.managed"),
  backup: image("docker/backup"),
};

export const build = group("Builds the images of docker/service with the Docker of this machine", {
  repository: z
    .string()
    .default("")
    .describe("Where they are pushed, like registry.example/image-service; empty: images.*"),
  server: z.string().default("").describe("Its registry; empty: Docker Hub"),
  username: z
    .string()
    .default("")
    .describe("User of the registry; for ECR whoever runs the program"),
});
