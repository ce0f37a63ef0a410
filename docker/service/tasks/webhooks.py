"""Who is told that a task has ended, and how that went: the outbox, and its log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import seconds_from_now
from core.schema import task_table as t
from core.schema import webhook_attempt_table as a
from core.schema import webhook_table as w

_LEASE_SECONDS = 60
"""A process that was to tell somebody and did not say how it went has this long; then another
tries."""


@dataclass(frozen=True)
class Delivery:
    """One attempt to tell."""

    task_id: UUID
    url: str
    attempt: int
    """Of all that there were."""
    tries: int
    """Since it began, or an operator began again."""


@dataclass(frozen=True)
class Attempt:
    attempt: int
    at: datetime
    outcome: str


@dataclass(frozen=True)
class Webhook:
    url: str
    delivered_at: datetime | None
    due_at: datetime | None
    """Of the next attempt; None when there will be none."""
    attempts: Sequence[Attempt]


class WebhookStore:
    """A row is written before its task, so that no task is accepted without it; one whose task was
    never written is told to nobody. It is due once the task is final: whoever ends a task need not
    know of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def _run(self, *statements: Any) -> Sequence[Row[Any]]:
        """In one transaction. @returns the rows of the last"""
        async with self._engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(statement)
            return result.all() if result.returns_rows else []

    async def expect(self, task_id: UUID, url: str) -> None:
        fresh = {"attempts": 0, "tries": 0, "due_at": seconds_from_now(0)}
        await self._run(insert(w).values(task_id=task_id, url=url, **fresh))

    async def drop(self, task_id: UUID) -> None:
        await self._run(delete(w).where(w.c.task_id == task_id))

    async def claim(self, limit: int) -> list[Delivery]:
        """Those that are due, each for one process alone."""
        due = (
            select(w.c.task_id)
            .join(t, t.c.id == w.c.task_id)
            .where(w.c.due_at <= seconds_from_now(0), t.c.finished_at.isnot(None))
            .order_by(w.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=w)
            .cte("due")
        )
        claim = (
            update(w)
            .where(w.c.task_id.in_(select(due.c.task_id)))
            .values(
                attempts=w.c.attempts + 1,
                tries=w.c.tries + 1,
                due_at=seconds_from_now(_LEASE_SECONDS),
            )
            .returning(w.c.task_id, w.c.url, w.c.attempts.label("attempt"), w.c.tries)
        )
        return [Delivery(**row._mapping) for row in await self._run(claim)]

    async def delivered(self, delivery: Delivery, outcome: str) -> None:
        await self._end(delivery, outcome, due_at=None, delivered_at=seconds_from_now(0))

    async def failed(self, delivery: Delivery, outcome: str, again_in: float | None) -> None:
        """@param again_in: seconds; None: never"""
        due_at = None if again_in is None else seconds_from_now(again_in)
        await self._end(delivery, outcome, due_at=due_at)

    async def _end(self, delivery: Delivery, outcome: str, **values: Any) -> None:
        # A process that was held up for longer than its lease changes nothing any more.
        still = (w.c.task_id == delivery.task_id, w.c.attempts == delivery.attempt)
        attempt = {
            "task_id": delivery.task_id,
            "attempt": delivery.attempt,
            "at": seconds_from_now(0),
            "outcome": outcome,
        }
        await self._run(insert(a).values(attempt), update(w).where(*still).values(values))

    async def get(self, task_id: UUID) -> Webhook | None:
        found = await self._run(select(w).where(w.c.task_id == task_id))
        if not found:
            return None
        made = await self._run(
            select(a.c.attempt, a.c.at, a.c.outcome)
            .where(a.c.task_id == task_id)
            .order_by(a.c.attempt)
        )
        (row,) = found
        attempts = [Attempt(**it._mapping) for it in made]
        return Webhook(row.url, row.delivered_at, row.due_at, attempts)

    async def retry(self, task_ids: Sequence[UUID]) -> int:
        """Tells these once more; without any, all those that were given up. @returns how many"""
        given_up = (w.c.due_at.is_(None), w.c.delivered_at.is_(None))
        which = (w.c.task_id.in_(task_ids),) if task_ids else given_up
        fresh = {"tries": 0, "due_at": seconds_from_now(0), "delivered_at": None}
        again = update(w).where(*which).values(fresh)
        return len(await self._run(again.returning(w.c.task_id)))
