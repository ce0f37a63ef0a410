"""When pictures were compared with their records, and which of them are damaged."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("scrubs", sa.Column("finished_at", Timestamp, primary_key=True))
    op.create_table(
        "damaged_pictures",
        sa.Column("object_key", sa.Text, primary_key=True),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("found_at", Timestamp, nullable=False),
    )
