"""What drills of the database's archive found."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restore_drills",
        sa.Column("finished_at", Timestamp, primary_key=True),
        sa.Column("succeeded", sa.Boolean, nullable=False),
        sa.Column("lost_seconds", sa.Integer),
        sa.Column("restore_seconds", sa.Integer),
    )
