"""Where pictures are to be sent, and how that went."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("task_id", sa.Uuid, primary_key=True),
        sa.Column("picture", sa.SmallInteger, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Timestamp),
        sa.Column("delivered_at", Timestamp),
        sa.Column("outcome", sa.Text),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("uploads_due", "uploads", ["due_at"], postgresql_where=due, sqlite_where=due)
