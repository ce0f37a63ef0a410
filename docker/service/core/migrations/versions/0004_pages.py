"""A key's finished tasks by their status, and dead tasks by their age, are found by an index."""

from contextlib import nullcontext

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
    postgresql = op.get_bind().dialect.name == "postgresql"
    # Meanwhile the service goes on writing.
    # https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    with op.get_context().autocommit_block() if postgresql else nullcontext():
        for name, columns, where in indexes:
            # Where it was cut off there is an invalid one.
            op.drop_index(name, "tasks", if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name,
                "tasks",
                columns,
                postgresql_where=sa.text(where),
                postgresql_concurrently=True,
                sqlite_where=sa.text(where),
            )
