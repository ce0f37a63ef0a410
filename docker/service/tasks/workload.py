"""How much there is to draw, who draws, and how fast; work is counted as by `Parameters.work`."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from core.autocommit import Autocommit
from core.schema import Status, seconds_between, status_is
from core.schema import task_table as t
from tasks.task import Task

_MEASURED = 200
"""So many of the last tasks tell how fast work is drawn."""

_queued = status_is(Status.QUEUED)
_running = status_is(Status.RUNNING)
_work = func.coalesce(t.c.work, 1.0)  # rows of older releases have none


def _sum(*where: ColumnElement[bool]) -> ColumnElement[float]:
    return select(func.coalesce(func.sum(_work), 0.0)).where(*where).scalar_subquery()


def _ahead() -> Select[Any]:
    """Of a queued task :task_id of :model, :priority and :rank."""
    priority = bindparam("priority", type_=SmallInteger())
    rank = bindparam("rank", type_=Integer())
    for_model = t.c.model.is_not_distinct_from(bindparam("model", type_=Text()))
    level = t.c.priority == priority
    earlier = or_(
        t.c.priority > priority,
        and_(level, t.c.rank < rank),
        and_(level, t.c.rank == rank, t.c.id < bindparam("task_id", type_=Uuid())),
    )
    before = (_queued, for_model, earlier)
    position = select(func.count()).select_from(t).where(*before).scalar_subquery()
    work = _sum(*before) + _sum(_running, for_model)
    return select(position.label("position"), work.label("work"))


def _paces() -> Select[Any]:
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
    return (
        select(last.c.model, (func.sum(last.c.took) / func.sum(last.c.work)).label("pace"))
        .where(last.c.status == Status.SUCCEEDED)
        .group_by(last.c.model)
    )


_AHEAD = _ahead()
_PACES = _paces()
_WORK = (
    select(t.c.model, func.sum(_work).label("work"))
    .where(or_(_queued, _running))
    .group_by(t.c.model)
)
_BUSY_WORKERS = select(t.c.worker_id).where(_running)


@dataclass(frozen=True)
class Ahead:
    """Of a queued task."""

    position: int
    """How many queued tasks for its model run before it."""
    work: float
    """How much they are, with what is being drawn."""


class Workload:
    def __init__(self, engine: AsyncEngine) -> None:
        self._run = Autocommit(engine)

    async def ahead(self, task: Task) -> Ahead:
        (row,) = await self._run.rows(
            _AHEAD, task_id=task.id, model=task.model, priority=task.priority, rank=task.rank
        )
        return Ahead(**row)

    async def work(self) -> dict[str | None, float]:
        """What waits and is being drawn, by model; no model without any."""
        return {row["model"]: row["work"] for row in await self._run.rows(_WORK)}

    async def paces(self) -> dict[str | None, float]:
        """Seconds that workers took for a unit of work lately, by model; none that drew nothing."""
        return {row["model"]: row["pace"] for row in await self._run.rows(_PACES)}

    async def busy_workers(self) -> set[str]:
        """Those that have a task."""
        return {row["worker_id"] for row in await self._run.rows(_BUSY_WORKERS)}
