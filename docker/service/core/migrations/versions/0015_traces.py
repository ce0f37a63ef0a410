"""Where in its request's trace a task began."""

import sqlalchemy as sa
from alembic import op

from core.schema import Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("trace", Json))
