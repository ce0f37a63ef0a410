"""The truth about tasks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.selectable import ExecutableReturnsRows as Statement
from uuid_utils.compat import uuid7

from core import tracing
from core.autocommit import Autocommit, Row
from core.coalescer import Coalescer
from core.schema import Status
from core.settings import Settings
from tasks import statements
from tasks.parameters import Parameters
from tasks.task import StoredImage, Task

EVER = 100 * 365 * 86400
"""Seconds."""
_ALL = 2**31 - 1


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a task. A later claim has a higher attempt and fences this one off."""

    task_id: UUID
    attempt: int


@dataclass(frozen=True)
class QueueCounts:
    queued: int
    running: int
    finished_last_minute: int


@dataclass(frozen=True)
class Unfinished:
    """The tasks of a model and a status."""

    model: str | None
    status: Status
    tasks: int
    oldest: datetime
    """When the first of them was accepted."""


@dataclass(frozen=True)
class Drill:
    """A restore of the database for practice (docker/backup/restore-drill)."""

    finished_at: datetime
    succeeded: bool
    lost_seconds: int | None
    restore_seconds: int | None


class TaskStore:
    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        # Every method is one statement.
        self._run = Autocommit(engine)
        self._settings = settings
        self._submit = Coalescer(self._submit_all)
        self._claim = statements.claim(settings)

    async def _tasks(self, statement: Statement, **parameters: Any) -> list[Task]:
        return [Task.from_row(row) for row in await self._run.rows(statement, **parameters)]

    async def _task(self, statement: Statement, **parameters: Any) -> Task | None:
        return next(iter(await self._tasks(statement, **parameters)), None)

    # -- the API's side --------------------------------------------------------------------

    async def submit(
        self,
        parameters: Parameters,
        *,
        key_id: int,
        request_id: str,
        model: str | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
        request_hash: bytes | None = None,
        task_id: UUID | None = None,
    ) -> Task | None:
        """Accepts a task, by this id or a new one; None when the key has used this idempotency key
        before. It is a part of the trace that the caller is in."""
        row = {
            "id": task_id or uuid7(),
            "key_id": key_id,
            "idempotency_key": idempotency_key,
            "request_hash": request_hash,
            "request_id": request_id,
            "parameters": parameters.model_dump(mode="json"),
            "model": model,
            "work": parameters.work,
            "trace": tracing.here() or None,
            "priority": priority,
            "attempts_left": self._settings.max_attempts,
            "task_seconds": self._settings.deadline_seconds,
        }
        with tracing.span("insert task", SpanKind.CLIENT):
            return await self._submit(row)

    async def _submit_all(self, rows: list[Row]) -> list[Task | None]:
        # Asked for once a key: planning it for each row of a statement takes longer than all else.
        ranks: dict[tuple[int, int, str | None], int] = {}
        for row in rows:
            level = key_id, priority, model = row["key_id"], row["priority"], row["model"]
            if level not in ranks:
                ranks[level] = await self._run.value(
                    statements.fair_rank, of_key=key_id, of_priority=priority, of_model=model
                )
            row["rank"] = ranks[level]
            ranks[level] += 1
        statement = statements.submit[self._run.dialect]
        stored = (
            self._run.rows(statement, **rows[0])
            if len(rows) == 1
            else self._run.rows(statement, *rows)
        )
        accepted = {row["id"]: Task.from_row(row) for row in await stored}
        return [accepted.get(row["id"]) for row in rows]

    async def get(self, task_id: UUID, *, key_id: int | None) -> Task | None:
        """The task, if it is the key's; any task for no key."""
        task = await self._task(statements.get, task_id=task_id)
        return task if task and key_id in (None, task.key_id) else None

    async def get_by_idempotency_key(self, idempotency_key: str, *, key_id: int) -> Task | None:
        return await self._task(
            statements.get_by_idempotency_key, of_key=key_id, used_key=idempotency_key
        )

    async def cancel(self, task_id: UUID, *, key_id: int) -> bool:
        """Ends a task that is not final. A worker that runs it loses its claim by this."""
        return bool(await self._run.rows(statements.cancel, task_id=task_id, of_key=key_id))

    async def counts(self) -> QueueCounts:
        (row,) = await self._run.rows(statements.counts)
        return QueueCounts(**row)

    async def unfinished(self) -> list[Unfinished]:
        """The tasks that are not final; nothing of a model and status without any."""
        rows = await self._run.rows(statements.unfinished)
        return [Unfinished(**row | {"status": Status(row["status"])}) for row in rows]

    async def dead_count(self) -> int:
        return int(await self._run.value(statements.dead_count))

    async def last_backup(self) -> datetime | None:
        """When the newest backup of this database ended."""
        moment: datetime | None = await self._run.value(statements.last_backup)
        return moment

    async def last_scrub(self) -> datetime | None:
        """When pictures were last compared with their records."""
        moment: datetime | None = await self._run.value(statements.last_scrub)
        return moment

    async def damaged_pictures(self) -> int:
        """How many are gone, or not what their records say, as scrubs found."""
        return int(await self._run.value(statements.damaged_pictures))

    async def last_drill(self) -> Drill | None:
        """How the newest drill of the archive ended."""
        rows = await self._run.rows(statements.last_drill)
        return Drill(**rows[0]) if rows else None

    async def last_good_drill(self) -> Drill | None:
        rows = await self._run.rows(statements.last_good_drill)
        return Drill(**rows[0]) if rows else None

    # -- the worker's side -----------------------------------------------------------------

    async def claim(self, worker_id: str) -> Task | None:
        """Takes the next task for this process's model in fair order, with a lease."""
        return await self._task(
            self._claim,
            worker=worker_id,
            held_model=self._settings.model_id,
            lease_seconds=self._settings.lease_seconds,
            avoid_seconds=self._settings.avoid_seconds,
        )

    async def _change(self, statement: Statement, claim: Claim, **values: Any) -> Status | None:
        """@returns the status after it; None when the claim is lost"""
        rows = await self._run.rows(
            statement, task_id=claim.task_id, claimed_attempt=claim.attempt, **values
        )
        return Status(rows[0]["status"]) if rows else None

    async def renew(self, claim: Claim, step: int) -> bool:
        """Extends the lease; False when the claim is lost."""
        seconds = self._settings.lease_seconds
        return bool(
            await self._change(statements.renew, claim, lease_seconds=seconds, at_step=step)
        )

    async def succeed(self, claim: Claim, images: Sequence[StoredImage]) -> bool:
        with tracing.span("finish task", SpanKind.CLIENT):
            return bool(await self._change(statements.succeed, claim, pictures=_stored(images)))

    async def fail(self, claim: Claim, error_code: str, error: str) -> Status | None:
        """Ends the task. None when the claim is lost."""
        return await self._change(statements.fail, claim, code=error_code, text=error)

    async def retry(self, claim: Claim, error_code: str, error: str) -> Status | None:
        """Charges a failed attempt; the last one ends the task. None when the claim is lost."""
        seconds = self._settings.relay_seconds  # what the relay needs for its ticket anyway
        return await self._change(
            statements.retry, claim, code=error_code, text=error, retry_seconds=seconds
        )

    async def record(self, claim: Claim, images: Sequence[StoredImage]) -> bool:
        """Keeps the pictures made so far: the next attempt goes on after them."""
        with tracing.span("record pictures", SpanKind.CLIENT):
            return bool(await self._change(statements.record, claim, pictures=_stored(images)))

    async def hand_back(self, claim: Claim) -> bool:
        """Gives a task up through no fault of its own: it keeps its attempts."""
        return bool(await self._change(statements.hand_back, claim))

    # -- the relay's side ------------------------------------------------------------------

    async def requeue_expired(self) -> list[Task]:
        """Takes tasks from workers that stopped renewing their leases."""
        return await self._tasks(statements.requeue_expired)

    async def fail_overdue(self) -> list[Task]:
        return await self._tasks(statements.fail_overdue)

    async def queued_ids(self, limit: int) -> dict[str | None, list[UUID]]:
        """The ids of the tasks that run next, by model; none that waits for its next attempt."""
        ids: defaultdict[str | None, list[UUID]] = defaultdict(list)
        for row in await self._run.rows(statements.queued_ids, row_limit=limit):
            ids[row["model"]].append(row["id"])
        return ids

    # -- the operator's side ---------------------------------------------------------------

    async def dead(self, *, seconds: float = EVER, limit: int = _ALL) -> list[Task]:
        """Tasks that used up their attempts in the last seconds, those that died first first."""
        return await self._tasks(statements.dead, of_seconds=seconds, row_limit=limit)

    async def requeue_dead(
        self, task_ids: Sequence[UUID] | None = None, *, seconds: float = EVER
    ) -> list[UUID]:
        """Gives dead tasks fresh attempts, these or those of the last seconds, while the queue has
        room. Each takes its turn as if it had just been sent. @returns those that got them"""
        room = max(0, self._settings.queue_limit - (await self.counts()).queued)
        dead = await self.dead(seconds=seconds, limit=_ALL if task_ids else room)
        if task_ids:
            dead = [task for task in dead if task.id in task_ids][:room]
        requeued = []
        for task in dead:
            rank = await self._run.value(
                statements.fair_rank,
                of_key=task.key_id,
                of_priority=task.priority,
                of_model=task.model,
            )
            requeued += await self._run.rows(
                statements.requeue_dead,
                task_id=task.id,
                fresh_rank=rank,
                attempts=self._settings.max_attempts,
                task_seconds=self._settings.deadline_seconds,
            )
        return [row["id"] for row in requeued]

    async def ping(self) -> None:
        await self._run.rows(statements.ping)


def _stored(images: Sequence[StoredImage]) -> list[dict[str, Any]]:
    return [image.model_dump(mode="json") for image in images]
