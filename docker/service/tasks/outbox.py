"""What an outbox of tasks does, whatever it brings and to whom."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Row, Table, delete
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import seconds_from_now

Item = TypeVar("Item")


class OutboxStore(ABC, Generic[Item]):
    """A row is written before its task, so that no task is accepted without it; one whose task was
    never written is brought to nobody. It is due once the task is final: whoever ends a task need
    not know of it."""

    def __init__(self, engine: AsyncEngine, table: Table) -> None:
        self._engine = engine
        self._table = table

    async def _run(self, *statements: Any) -> Sequence[Row[Any]]:
        """In one transaction. @returns the rows of the last"""
        async with self._engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(statement)
            return result.all() if result.returns_rows else []

    async def drop(self, task_id: UUID) -> None:
        await self._run(delete(self._table).where(self._table.c.task_id == task_id))

    async def delivered(self, item: Item, outcome: str) -> None:
        await self._end(item, outcome, due_at=None, delivered_at=seconds_from_now(0))

    async def failed(self, item: Item, outcome: str, again_in: float | None) -> None:
        """@param again_in: seconds; None: never"""
        due_at = None if again_in is None else seconds_from_now(again_in)
        await self._end(item, outcome, due_at=due_at)

    @abstractmethod
    async def _end(self, item: Item, outcome: str, **values: Any) -> None:
        """Of an attempt, unless its lease had ended before."""
