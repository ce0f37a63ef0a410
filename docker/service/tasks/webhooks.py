"""Who is told that a task has ended, and how that went: the outbox, and its log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import seconds_from_now
from core.schema import task_table as t
from core.schema import webhook_attempt_table as a
from core.schema import webhook_table as w
from tasks.outbox import OutboxStore

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


class WebhookStore(OutboxStore[Delivery]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, w)

    async def expect(self, task_id: UUID, url: str) -> None:
        fresh = {"attempts": 0, "tries": 0, "due_at": seconds_from_now(0)}
        await self._run(insert(w).values(task_id=task_id, url=url, **fresh))

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

    async def _end(self, item: Delivery, outcome: str, **values: Any) -> None:
        # A process that was held up for longer than its lease changes nothing any more.
        still = (w.c.task_id == item.task_id, w.c.attempts == item.attempt)
        attempt = {
            "task_id": item.task_id,
            "attempt": item.attempt,
            "at": seconds_from_now(0),
            "outcome": outcome,
        }
        await self._run(insert(a).values(attempt), update(w).where(*still).values(values))

    async def get(self, task_id: UUID) -> Webhook | None:
        # As one statement: between two, an attempt could come in.
        found = await self._run(
            select(w.c.url, w.c.delivered_at, w.c.due_at, a.c.attempt, a.c.at, a.c.outcome)
            .outerjoin_from(w, a, a.c.task_id == w.c.task_id)
            .where(w.c.task_id == task_id)
            .order_by(a.c.attempt)
        )
        if not found:
            return None
        attempts = [
            Attempt(it.attempt, it.at, it.outcome) for it in found if it.attempt is not None
        ]
        row = found[0]
        return Webhook(row.url, row.delivered_at, row.due_at, attempts)

    async def retry(self, task_ids: Sequence[UUID]) -> int:
        """Tells these once more; without any, all those that were given up. @returns how many"""
        given_up = (w.c.due_at.is_(None), w.c.delivered_at.is_(None))
        which = (w.c.task_id.in_(task_ids),) if task_ids else given_up
        fresh = {"tries": 0, "due_at": seconds_from_now(0), "delivered_at": None}
        again = update(w).where(*which).values(fresh)
        return len(await self._run(again.returning(w.c.task_id)))
