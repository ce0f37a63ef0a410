"""What an operator sees of all keys' tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import (
    Status,
    is_dead,
    key_table,
    seconds_between,
    seconds_from_now,
    status_is,
)
from core.schema import task_table as t
from tasks.task import Task

_MOST = 200
"""Tasks that one answer names."""
_MEASURED = 1000
"""So many of the last hour's tasks tell how long they took."""

_took = seconds_between(t.c.started_at, t.c.finished_at)
_pictures = case((status_is(Status.SUCCEEDED), t.c.parameters["num_images"].as_integer()), else_=0)


@dataclass(frozen=True)
class Use:
    """What a key had of one model."""

    key: str
    model: str | None
    tasks: int
    pictures: int
    seconds: float
    """Of workers, without attempts that failed."""


class Operations:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def _rows(self, statement: Executable) -> list[dict[str, Any]]:
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]

    async def _tasks(self, statement: Executable) -> list[Task]:
        return [Task.from_row(row) for row in await self._rows(statement)]

    async def running(self) -> list[Task]:
        """Those that began first first."""
        running = select(t).where(status_is(Status.RUNNING))
        return await self._tasks(running.order_by(t.c.started_at).limit(_MOST))

    async def dead(self, limit: int) -> list[Task]:
        """Tasks that used up their attempts, those that died last first."""
        dead = select(t).where(is_dead).order_by(t.c.finished_at.desc()).limit(limit)
        return await self._tasks(dead)

    async def latencies(self) -> Sequence[float]:
        """Seconds from acceptance to picture, of the last hour's last tasks, in order."""
        recent = (
            select(seconds_between(t.c.created_at, t.c.finished_at).label("took"))
            .where(t.c.finished_at > seconds_from_now(-3600), t.c.status == Status.SUCCEEDED.value)
            .order_by(t.c.finished_at.desc())
            .limit(_MEASURED)
        )
        return sorted(row["took"] for row in await self._rows(recent))

    async def use(self, since: datetime) -> list[Use]:
        """By key and model, of tasks that ended since then; who had most first."""
        seconds = func.coalesce(func.sum(_took), 0.0).label("seconds")
        use = (
            select(
                key_table.c.name.label("key"),
                t.c.model,
                func.count().label("tasks"),
                func.coalesce(func.sum(_pictures), 0).label("pictures"),
                seconds,
            )
            .select_from(t.join(key_table, t.c.key_id == key_table.c.id))
            .where(t.c.finished_at >= since)
            .group_by(key_table.c.name, t.c.model)
            .order_by(seconds.desc())
        )
        return [Use(**row) for row in await self._rows(use)]
