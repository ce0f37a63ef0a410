import type { Alert } from "../observability/alerts";

// The same for a pod and for a server of AWS: the api tells whether it answers.

export const databaseDown: Alert = {
  name: "DatabaseDown",
  when: 'max(aigc_store_up{store="postgres"}) == 0',
  for: "1m",
  severity: "page",
  summary: "PostgreSQL does not answer; no task is accepted.",
  action: "kubectl describe pod postgres-0, or the instance in the RDS console.",
};

/** Of a pod: RDS looks after its own archive. */
export const archiveFails: Alert = {
  name: "ArchiveFails",
  when: "max(aigc_archive_fails) == 1",
  for: "5m",
  severity: "page",
  summary: "PostgreSQL's log is not archived: it fills the volume, and would be lost with it.",
  action: "kubectl logs postgres-0, and whether the backup bucket takes anything.",
};

export const redisDown: Alert = {
  name: "RedisDown",
  when: 'max(aigc_store_up{store="redis"}) == 0',
  for: "1m",
  severity: "page",
  summary: "Redis does not answer; accepted tasks wait until it does.",
  action: "kubectl describe pod redis-0, or the cluster in the ElastiCache console.",
};
