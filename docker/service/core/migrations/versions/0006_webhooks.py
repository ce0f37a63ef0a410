"""Who is told that a task has ended, and each attempt to tell."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("task_id", sa.Uuid, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", Timestamp),
        sa.Column("delivered_at", Timestamp),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("webhooks_due", "webhooks", ["due_at"], postgresql_where=due, sqlite_where=due)
    op.create_table(
        "webhook_attempts",
        sa.Column("task_id", sa.Uuid, primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
