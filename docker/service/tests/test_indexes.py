"""What is asked of a long history is found by an index."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import Status
from tasks import statements
from tasks.history import History

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]

ROWS = 100_000
LIMIT = 21
WAITING = 1_000
"""Of the key's tasks; a queue has a limit."""

_FILL = f"""
INSERT INTO tasks (id, key_id, request_id, parameters, status, priority, rank, attempt,
  attempts_left, step, created_at, finished_at, deadline_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 1 + n % 2, 'r', '{{}}', s, 0, n, 1,
  CASE WHEN s = 'failed' THEN 0 ELSE 3 END, 0, now(),
  CASE WHEN s NOT IN ('queued', 'running') THEN now() - make_interval(secs => {ROWS} - n) END, now()
FROM (SELECT n, CASE
    WHEN n <= 60 THEN (ARRAY['failed', 'cancelled'])[1 + n / 2 % 2]
    WHEN n > {ROWS} - 10 THEN 'running'
    WHEN n > {ROWS} - {WAITING} THEN 'queued'
    ELSE 'succeeded' END AS s
  FROM generate_series(1, {ROWS}) AS n) AS all_of_them
"""


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """A history in which the rare statuses are the oldest."""
    async with engine.begin() as connection:
        await connection.execute(text(_FILL))
    async with engine.connect() as connection:
        vacuum = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await vacuum.execute(text("VACUUM ANALYZE tasks"))
    yield engine
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE tasks"))


async def looked_at(engine: AsyncEngine, statement: str, parameters: Any) -> tuple[int, set[str]]:
    """Rows that the statement looked at, and the indexes it used."""
    async with engine.connect() as connection:
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) " + statement
        (plan,) = (await connection.exec_driver_sql(explain, parameters)).scalar_one()
    rows, indexes, nodes = 0, set(), [plan["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Relation Name" in node or "Index Name" in node:
            removed = node.get("Rows Removed by Filter", 0) + node.get(
                "Rows Removed by Index Recheck", 0
            )
            rows += int((node["Actual Rows"] + removed) * node["Actual Loops"])
        if "Index Name" in node:
            indexes.add(node["Index Name"])
    return rows, indexes


@pytest.mark.parametrize("status", [None, *Status], ids=str)
async def test_a_page_of_a_keys_tasks_looks_at_little_else(
    filled: AsyncEngine, status: Status | None
) -> None:
    sent: list[tuple[str, Sequence[Any]]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    event.listen(filled.sync_engine, "before_cursor_execute", note)
    page = await History(filled).page(key_id=1, limit=LIMIT, status=status)
    event.remove(filled.sync_engine, "before_cursor_execute", note)
    assert page
    rows, indexes = await looked_at(filled, *sent[0])
    assert indexes
    # What waits or runs is bounded by the queue's limit, so that it may be looked at whole.
    assert rows <= 2 * WAITING, indexes


async def test_dead_tasks_are_found_without_the_living(filled: AsyncEngine) -> None:
    compiled = statements.dead.compile(dialect=filled.dialect)
    values = compiled.params | {"of_seconds": 10 * ROWS, "row_limit": 10}
    parameters = tuple(values[name] for name in compiled.positiontup or ())
    rows, indexes = await looked_at(filled, str(compiled), parameters)
    assert indexes == {"tasks_dead"}
    assert rows <= 10
