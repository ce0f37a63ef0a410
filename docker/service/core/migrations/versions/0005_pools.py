"""Which model draws a task, and how much work it is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without values for old rows, and none that older code would have to give.
    op.add_column("tasks", sa.Column("model", sa.Text))
    op.add_column("tasks", sa.Column("work", sa.Float))
