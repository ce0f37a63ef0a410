"""How PostgreSQL itself is, by its own statistics.
https://www.postgresql.org/docs/18/monitoring-stats.html"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# Every user may read numbackends and its own sessions: on RDS there is no superuser.
# A backup's transaction is as long as the backup (application_name of pg_dump, its default).
_STATEMENT = text("""
SELECT (SELECT sum(numbackends) FROM pg_stat_database) AS connections,
       current_setting('max_connections')::int AS connections_limit,
       (SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::float
          FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
           AND application_name <> 'pg_dump') AS oldest_transaction_seconds,
       pg_database_size(current_database()) AS bytes,
       (SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
            -- One that hangs never fails: a segment before the present one waits.
            OR current_setting('archive_mode') <> 'off' AND coalesce(
              last_archived_time < now() - make_interval(secs => :patience)
              AND substr(last_archived_wal, 9, 16) COLLATE "C" < substr(pg_walfile_name(
                pg_current_wal_lsn() - pg_size_bytes(current_setting('wal_segment_size'))), 9),
              false)
          FROM pg_stat_archiver) AS archive_fails
""")
ARCHIVE_PATIENCE_SECONDS = 120
"""Four times what the pod gives a segment (archive_timeout)."""


@dataclass(frozen=True)
class PostgresHealth:
    connections: int
    connections_limit: int
    oldest_transaction_seconds: float
    bytes: int
    archive_fails: bool
    """Whether the last try to archive the log failed, or takes too long."""


async def postgres_health(engine: AsyncEngine) -> PostgresHealth:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        (row,) = (
            await connection.execute(_STATEMENT, {"patience": ARCHIVE_PATIENCE_SECONDS})
        ).mappings()
        return PostgresHealth(**row)
