import type { Alert } from "../observability/alerts";

// The same for a pod and for a server of AWS: the api tells how it is.

const gibibyte = 2 ** 30;

/** @param storage bytes of its volume */
export const databaseAlerts = (storage: number): Alert[] => [
  {
    name: "DatabaseDown",
    when: 'max(aigc_store_up{store="postgres"}) == 0',
    for: "1m",
    severity: "page",
    summary: "PostgreSQL does not answer; no task is accepted.",
    action: "kubectl describe pod postgres-0, or the instance in the RDS console.",
  },
  {
    name: "DatabaseConnectionsUsedUp",
    when: "max(aigc_database_connections) / max(aigc_database_connections_limit) > 0.8",
    for: "5m",
    severity: "ticket",
    summary: "{{ $value | humanizePercentage }} of PostgreSQL's connections are in use.",
    action: "SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2.",
  },
  {
    name: "DatabaseTransactionLong",
    when: "max(aigc_database_oldest_transaction_seconds) > 900",
    for: "1m",
    severity: "ticket",
    summary:
      "A transaction has been open for {{ $value | humanizeDuration }}; nothing since is cleaned up.",
    action: "SELECT pid, query FROM pg_stat_activity ORDER BY xact_start LIMIT 1.",
  },
  {
    name: "DatabaseVolumeFills",
    when: [
      // Its log has a place there, too.
      `max(aigc_database_bytes) > ${0.7 * storage}`,
      `predict_linear(max(aigc_database_bytes)[1d:10m], ${4 * 86_400}) > ${0.9 * storage}`,
    ].join("\n  or "),
    for: "1h",
    severity: "ticket",
    summary: `The database has {{ $value | humanize1024 }}B of ${storage / gibibyte} GiB, or will in four days.`,
    action: "Raise postgres.storage, which grows in place.",
  },
];

/** Of a pod: RDS looks after its own archive. */
export const archiveFails: Alert = {
  name: "ArchiveFails",
  when: "max(aigc_archive_fails) == 1",
  for: "5m",
  severity: "page",
  summary: "PostgreSQL's log is not archived: it fills the volume, and would be lost with it.",
  action: "kubectl logs postgres-0, and whether the backup bucket takes anything.",
};

export const redisAlerts: Alert[] = [
  {
    name: "RedisDown",
    when: 'max(aigc_store_up{store="redis"}) == 0',
    for: "1m",
    severity: "page",
    summary: "Redis does not answer; accepted tasks wait until it does.",
    action: "kubectl describe pod redis-0, or the cluster in the ElastiCache console.",
  },
  {
    name: "RedisMemoryFills",
    when: "max(aigc_redis_memory_bytes) / max(aigc_redis_memory_limit_bytes > 0) > 0.8",
    for: "10m",
    severity: "ticket",
    summary:
      "Redis has used {{ $value | humanizePercentage }} of its memory; full, it takes no more.",
    action: "redis-cli --bigkeys; then redis.resources, or the node type of ElastiCache.",
  },
];

/** Of a pod: ElastiCache keeps nothing on a volume. */
export const redisPersistenceFails: Alert = {
  name: "RedisPersistenceFails",
  when: "max(aigc_redis_persistence_fails) == 1",
  for: "5m",
  severity: "ticket",
  summary: "Redis can't write to its volume: a restart would empty the queue until it is refilled.",
  action: "kubectl logs redis-0: is the volume full?",
};

/** What an exporter is for, and gives no more: its own pod answers. */
const blind = (job: string, metric: string): Alert => ({
  name: "ExporterBlind",
  labels: { job },
  when: `max(${metric}) == 0`,
  for: "15m",
  severity: "ticket",
  summary: `${job} gets no answer from its store, which answers the api.`,
  action: `kubectl logs deploy/${job}; kubectl rollout restart deploy/${job} makes its role anew.`,
});

/** What PostgreSQL alone knows of itself. @param job of its exporter */
export const databaseServerAlerts = (job: string): Alert[] => [
  {
    name: "DatabaseBloat",
    // Autovacuum comes at a fifth: https://www.postgresql.org/docs/18/routine-vacuuming.html#AUTOVACUUM
    when: `max by (relname) (pg_stat_user_tables_n_dead_tup
    / (pg_stat_user_tables_n_live_tup + pg_stat_user_tables_n_dead_tup) > 0.5
  and pg_stat_user_tables_n_dead_tup > 10000)`,
    for: "2h",
    severity: "ticket",
    summary:
      "{{ $value | humanizePercentage }} of the rows of {{ $labels.relname }} are dead: vacuuming does not keep up.",
    action: "SELECT * FROM pg_stat_progress_vacuum; is a transaction old, or a table locked?",
  },
  blind(job, "pg_up"),
];

/** What Redis alone knows of itself. @param job of its exporter */
export const redisServerAlerts = (job: string): Alert[] => [blind(job, "redis_up")];

/** Of a replica in another zone, which ElastiCache has. */
export const redisReplicaGone: Alert = {
  name: "RedisReplicaGone",
  when: "max(redis_connected_slaves) < 1",
  for: "30m",
  severity: "ticket",
  summary: "Redis has {{ $value }} replicas: the loss of its node would empty the queue.",
  action: "The events of the replication group in the ElastiCache console.",
};
