"""The tables, and the database's own clock in a form that both databases understand."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    and_,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in (Status.QUEUED, Status.RUNNING)


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC time; SQLite gives it back without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class seconds_from_now(FunctionElement[datetime]):  # noqa: N801
    """The database's clock plus some seconds: hosts' clocks decide no lease."""

    type = Timestamp()
    inherit_cache = True


@compiles(seconds_from_now, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(now() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(seconds_from_now, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


class seconds_between(FunctionElement[float]):  # noqa: N801
    """From the first moment to the second."""

    type = Float()
    inherit_cache = True


@compiles(seconds_between, "postgresql")
def _postgresql_seconds(element: Any, compiler: Any, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch FROM {end} - {start})::float"


@compiles(seconds_between, "sqlite")
def _sqlite_seconds(element: Any, compiler: Any, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400)"


metadata = MetaData()
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

task_table = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("key_id", Integer, nullable=False),
    Column("idempotency_key", Text),
    Column("request_hash", LargeBinary),
    Column("request_id", Text, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("attempts_left", Integer, nullable=False),
    Column("worker_id", Text),
    Column("lease_until", Timestamp),
    Column("step", Integer, nullable=False),
    Column("images", Json),
    Column("error_code", Text),
    Column("error", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    Column("deadline_at", Timestamp, nullable=False),
    Column("retry_at", Timestamp),
    Column("model", Text),
    Column("work", Float),
    Column("trace", Json),
    CheckConstraint(
        "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="tasks_status"
    ),
)

key_table = Table(
    "keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("hash", LargeBinary, unique=True),
    Column("priority", SmallInteger, nullable=False),
    Column("images_per_day", Integer),
    Column("created_at", Timestamp, nullable=False),
    Column("revoked_at", Timestamp),
    Column("webhook", Text),
)

webhook_table = Table(
    "webhooks",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Timestamp),
    Column("delivered_at", Timestamp),
)

webhook_attempt_table = Table(
    "webhook_attempts",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("outcome", Text, nullable=False),
)

upload_table = Table(
    "uploads",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("picture", SmallInteger, primary_key=True),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Timestamp),
    Column("delivered_at", Timestamp),
    Column("outcome", Text),
)

# Written by docker/backup, read for metrics.
backup_table = Table("backups", metadata, Column("finished_at", Timestamp, primary_key=True))
drill_table = Table(
    "restore_drills",
    metadata,
    Column("finished_at", Timestamp, primary_key=True),
    Column("succeeded", Boolean, nullable=False),
    Column("lost_seconds", Integer),
    Column("restore_seconds", Integer),
)
scrub_table = Table("scrubs", metadata, Column("finished_at", Timestamp, primary_key=True))
damaged_picture_table = Table(
    "damaged_pictures",
    metadata,
    Column("object_key", Text, primary_key=True),
    Column("task_id", Uuid, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("found_at", Timestamp, nullable=False),
)

OPERATOR_KEY_ID = 1


def status_is(status: Status) -> ColumnElement[bool]:
    # A literal, not a parameter: a generic plan matches partial indexes only by literals.
    return task_table.c.status == literal_column(f"'{status}'")


def _partial(name: str, *columns: Any, where: ColumnElement[bool], unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)


_partial(
    "tasks_idempotency",
    task_table.c.key_id,
    task_table.c.idempotency_key,
    where=task_table.c.idempotency_key.isnot(None),
    unique=True,
)
_partial(
    "tasks_queue",
    task_table.c.priority.desc(),
    task_table.c.rank,
    task_table.c.id,
    where=status_is(Status.QUEUED),
)
_partial(
    "tasks_queue_of_key",
    task_table.c.key_id,
    task_table.c.priority,
    task_table.c.rank,
    where=status_is(Status.QUEUED),
)
_partial("tasks_leases", task_table.c.lease_until, where=status_is(Status.RUNNING))
_partial("tasks_finished", task_table.c.finished_at, where=task_table.c.finished_at.isnot(None))
_partial(
    "tasks_finished_of_key",
    task_table.c.key_id,
    task_table.c.status,
    task_table.c.id,
    where=task_table.c.finished_at.isnot(None),
)
# A literal, as in status_is.
is_dead = and_(status_is(Status.FAILED), task_table.c.attempts_left == literal_column("0", Integer))
_partial("tasks_dead", task_table.c.finished_at, where=is_dead)
_partial("webhooks_due", webhook_table.c.due_at, where=webhook_table.c.due_at.isnot(None))
_partial("uploads_due", upload_table.c.due_at, where=upload_table.c.due_at.isnot(None))
Index("tasks_of_key", task_table.c.key_id, task_table.c.id)
