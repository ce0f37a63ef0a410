"""When backups ended."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("backups", sa.Column("finished_at", Timestamp, primary_key=True))
