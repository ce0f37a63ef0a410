"""Tasks and keys."""

import sqlalchemy as sa
from alembic import op

from core.schema import OPERATOR_KEY_ID, Json, Timestamp, seconds_from_now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("key_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_hash", sa.LargeBinary),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("attempts_left", sa.Integer, nullable=False),
        sa.Column("worker_id", sa.Text),
        sa.Column("lease_until", Timestamp),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("images", Json),
        sa.Column("error_code", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("started_at", Timestamp),
        sa.Column("finished_at", Timestamp),
        sa.Column("deadline_at", Timestamp, nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')",
            name="tasks_status",
        ),
    )
    queued = sa.text("status = 'queued'")
    indexes: list[tuple[str, list[str | sa.TextClause], sa.TextClause]] = [
        ("tasks_queue", [sa.text("priority DESC"), "rank", "id"], queued),
        ("tasks_queue_of_key", ["key_id", "priority", "rank"], queued),
        ("tasks_leases", ["lease_until"], sa.text("status = 'running'")),
        ("tasks_finished", ["finished_at"], sa.text("finished_at IS NOT NULL")),
    ]
    for name, columns, where in indexes:
        op.create_index(name, "tasks", columns, postgresql_where=where, sqlite_where=where)
    keyed = sa.text("idempotency_key IS NOT NULL")
    op.create_index(
        "tasks_idempotency",
        "tasks",
        ["key_id", "idempotency_key"],
        unique=True,
        postgresql_where=keyed,
        sqlite_where=keyed,
    )
    op.create_index("tasks_of_key", "tasks", ["key_id", "id"])

    keys = op.create_table(
        "keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("hash", sa.LargeBinary, unique=True),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("images_per_day", sa.Integer),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("revoked_at", Timestamp),
    )
    op.execute(
        keys.insert().values(
            id=OPERATOR_KEY_ID, name="operator", priority=0, created_at=seconds_from_now(0)
        )
    )
    # The sequence behind id does not see the row above.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('keys', 'id'), 1)")
