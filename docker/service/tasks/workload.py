"""How much there is to draw, who draws, and how fast; work is counted as by `Parameters.work`."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import Status, seconds_between, status_is
from core.schema import task_table as t
from tasks.task import Task

_MEASURED = 200
"""So many of the last tasks tell how fast work is drawn."""

_queued = status_is(Status.QUEUED)
_running = status_is(Status.RUNNING)
_work = func.coalesce(t.c.work, 1.0)  # rows of older releases have none


@dataclass(frozen=True)
class Ahead:
    """Of a queued task."""

    position: int
    """How many queued tasks for its model run before it."""
    work: float
    """How much they are, with what is being drawn."""


class Workload:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def _rows(self, statement: Executable) -> list[Any]:
        async with self._engine.connect() as connection:
            return list(await connection.execute(statement))

    async def ahead(self, task: Task) -> Ahead:
        for_model = t.c.model.is_not_distinct_from(task.model)
        level = t.c.priority == task.priority
        ahead = or_(
            t.c.priority > task.priority,
            and_(level, t.c.rank < task.rank),
            and_(level, t.c.rank == task.rank, t.c.id < task.id),
        )
        before = (_queued, for_model, ahead)
        position = select(func.count()).select_from(t).where(*before).scalar_subquery()
        work = _sum(*before) + _sum(_running, for_model)
        (row,) = await self._rows(select(position, work))
        return Ahead(*row)

    async def work(self) -> dict[str | None, float]:
        """What waits and is being drawn, by model; no model without any."""
        rows = select(t.c.model, func.sum(_work)).where(or_(_queued, _running))
        return dict(map(tuple, await self._rows(rows.group_by(t.c.model))))

    async def paces(self) -> dict[str | None, float]:
        """Seconds that workers took for a unit of work lately, by model; none that drew nothing."""
        last = (
            select(
                t.c.model,
                t.c.status,
                _work.label("work"),
                seconds_between(t.c.started_at, t.c.finished_at).label("took"),
            )
            .where(t.c.finished_at.isnot(None))
            .order_by(t.c.finished_at.desc())
            .limit(_MEASURED)
            .subquery("last")
        )
        rows = (
            select(last.c.model, func.sum(last.c.took) / func.sum(last.c.work))
            .where(last.c.status == Status.SUCCEEDED)
            .group_by(last.c.model)
        )
        return dict(map(tuple, await self._rows(rows)))

    async def busy_workers(self) -> set[str]:
        """Those that have a task."""
        return {row.worker_id for row in await self._rows(select(t.c.worker_id).where(_running))}


def _sum(*where: ColumnElement[bool]) -> ColumnElement[float]:
    return select(func.coalesce(func.sum(_work), 0.0)).where(*where).scalar_subquery()
