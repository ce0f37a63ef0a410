"""A key's finished tasks by their status, and dead tasks by their age, are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    indexes = [
        ("tasks_finished_of_key", ["key_id", "status", "id"], "finished_at IS NOT NULL"),
        ("tasks_dead", ["finished_at"], "status = 'failed' AND attempts_left = 0"),
    ]
    for name, columns, where in indexes:
        op.create_index(
            name, "tasks", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
        )
