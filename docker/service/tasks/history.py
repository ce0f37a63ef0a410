"""A key's tasks of the past: listed, and forgotten."""

from typing import Any
from uuid import UUID

from sqlalchemy import Executable, null, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import Status, status_is
from core.schema import task_table as t
from tasks.task import Task

FORGOTTEN = "[deleted]"
"""What stands in a record for a prompt that was there."""

_FINAL = [status for status in Status if status.final]


class History:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def _tasks(self, statement: Executable) -> list[Task]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).mappings()
            return [Task.from_row(dict(row)) for row in rows]

    async def page(
        self, *, key_id: int, limit: int, before: UUID | None = None, status: Status | None = None
    ) -> list[Task]:
        """Newest first. Ids grow with time, so the id is the cursor."""
        page = select(t).where(t.c.key_id == key_id).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            page = page.where(t.c.id < before)
        if status is not None:
            page = page.where(status_is(status))
            if status.final:  # which is to say, in an index of these
                page = page.where(t.c.finished_at.isnot(None))
        return await self._tasks(page)

    async def forget(self, task: Task) -> Task:
        """Takes prompts, inputs and pictures out of a final task's record. What a quota counts
        stays, and a request with its idempotency key makes a new task."""
        blank: dict[str, Any] = {
            "prompt": FORGOTTEN,
            "negative_prompt": "",
            "image": None,
            "mask": None,
            "webhook": None,
            "upload": None,
        }
        forget = (
            update(t)
            .where(t.c.id == task.id, t.c.status.in_(_FINAL))
            .values(
                parameters=task.parameters.model_copy(update=blank).model_dump(mode="json"),
                images=null(),
                idempotency_key=None,
                request_hash=None,
            )
            .returning(t)
        )
        return next(iter(await self._tasks(forget)), task)
