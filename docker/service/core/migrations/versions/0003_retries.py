"""When a failed task may be tried again."""

import sqlalchemy as sa
from alembic import op

from core.schema import Timestamp

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a value for old rows, and none that older code would have to give.
    op.add_column("tasks", sa.Column("retry_at", Timestamp))
