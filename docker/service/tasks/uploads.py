"""Which pictures are to be sent where, and how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import seconds_from_now
from core.schema import task_table as t
from core.schema import upload_table as u
from tasks.outbox import OutboxStore

_LEASE_SECONDS = 150
"""A process that was to send a picture and did not say how it went has this long; then another
tries."""


@dataclass(frozen=True)
class Upload:
    """One attempt to send one picture."""

    task_id: UUID
    picture: int
    url: str
    tries: int
    """This one counted."""


@dataclass(frozen=True)
class Outcome:
    delivered_at: datetime | None
    due_at: datetime | None
    """Of the next attempt; None when there will be none."""
    outcome: str | None
    """The status of the last answer, or why there was none."""


def without_query(url: str) -> str:
    """What may be shown: a presigned address has its signature in the query."""
    return url.partition("?")[0]


class UploadStore(OutboxStore[Upload]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, u)

    async def expect(self, task_id: UUID, urls: Sequence[str]) -> None:
        fresh = {"task_id": task_id, "attempts": 0, "due_at": seconds_from_now(0)}
        rows = [fresh | {"picture": n, "url": url} for n, url in enumerate(urls)]
        await self._run(insert(u).values(rows))

    async def claim(self, limit: int) -> list[Upload]:
        """Those that are due, each for one process alone."""
        due = (
            select(u.c.task_id, u.c.picture)
            .join(t, t.c.id == u.c.task_id)
            .where(u.c.due_at <= seconds_from_now(0), t.c.finished_at.isnot(None))
            .order_by(u.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=u)
            .cte("due")
        )
        claim = (
            update(u)
            .where(tuple_(u.c.task_id, u.c.picture).in_(select(due.c.task_id, due.c.picture)))
            .values(attempts=u.c.attempts + 1, due_at=seconds_from_now(_LEASE_SECONDS))
            .returning(u.c.task_id, u.c.picture, u.c.url, u.c.attempts.label("tries"))
        )
        return [Upload(**row._mapping) for row in await self._run(claim)]

    async def _end(self, item: Upload, outcome: str, **values: Any) -> None:
        if values["due_at"] is None:  # nobody needs the signature any more
            values["url"] = without_query(item.url)
        # A process that was held up for longer than its lease changes nothing any more.
        still = and_(
            u.c.task_id == item.task_id,
            u.c.picture == item.picture,
            u.c.attempts == item.tries,
        )
        await self._run(update(u).where(still).values(outcome=outcome, **values))

    async def of(self, task_id: UUID) -> list[Outcome]:
        """One for each picture."""
        found = select(u.c.delivered_at, u.c.due_at, u.c.outcome).where(u.c.task_id == task_id)
        return [Outcome(**row._mapping) for row in await self._run(found.order_by(u.c.picture))]
