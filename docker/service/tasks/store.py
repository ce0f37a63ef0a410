"""The truth about tasks. Every method is one statement, so no crash can leave half of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from tasks.parameters import Parameters
from tasks.schema import Status, backups, seconds_from_now, status_is
from tasks.schema import tasks as t
from tasks.settings import Settings
from tasks.task import Image, Task

_queued = status_is(Status.QUEUED)
_running = status_is(Status.RUNNING)
_dead = and_(status_is(Status.FAILED), t.c.attempts_left == 0)


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


class TaskStore:
    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        # Every method is one statement: no BEGIN and COMMIT around it.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._settings = settings
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        self._insert = dialect.insert

    async def _rows(self, statement: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, values)).all()

    async def _changed(self, statement: Update) -> bool:
        return bool(await self._rows(statement.returning(t.c.id)))

    # -- the API's side --------------------------------------------------------------------

    async def submit(
        self,
        parameters: Parameters,
        *,
        key_id: int,
        request_id: str,
        priority: int = 0,
        idempotency_key: str | None = None,
        request_hash: bytes | None = None,
    ) -> Task | None:
        """Accepts a task; None when the key has used this idempotency key before."""
        settings = self._settings
        statement = (
            self._insert(t)
            .values(
                id=uuid7(),
                key_id=key_id,
                idempotency_key=idempotency_key,
                request_hash=request_hash,
                request_id=request_id,
                parameters=parameters.model_dump(mode="json"),
                status=Status.QUEUED,
                priority=priority,
                rank=_fair_rank(key_id, priority),
                attempt=0,
                attempts_left=settings.max_attempts,
                step=0,
                created_at=seconds_from_now(0),
                deadline_at=seconds_from_now(settings.task_seconds),
            )
            .on_conflict_do_nothing(
                index_elements=["key_id", "idempotency_key"],
                index_where=t.c.idempotency_key.isnot(None),
            )
            .returning(t)
        )
        rows = await self._rows(statement)
        return Task.from_row(rows[0]) if rows else None

    async def get(self, task_id: UUID, *, key_id: int | None) -> Task | None:
        """The task, if it is the key's; any task for no key."""
        statement = select(t).where(t.c.id == task_id)
        return await self._one(
            statement if key_id is None else statement.where(t.c.key_id == key_id)
        )

    async def get_by_idempotency_key(self, idempotency_key: str, *, key_id: int) -> Task | None:
        return await self._one(
            select(t).where(t.c.key_id == key_id, t.c.idempotency_key == idempotency_key)
        )

    async def _one(self, statement: Select[Any]) -> Task | None:
        rows = await self._rows(statement)
        return Task.from_row(rows[0]) if rows else None

    async def page(self, *, key_id: int, before: UUID | None, limit: int) -> list[Task]:
        """A key's tasks, newest first. Ids grow with time, so the id is the cursor."""
        statement = select(t).where(t.c.key_id == key_id).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(t.c.id < before)
        return [Task.from_row(row) for row in await self._rows(statement)]

    async def cancel(self, task_id: UUID, *, key_id: int) -> bool:
        """Ends a task that is not final. A worker that runs it loses its claim by this."""
        return await self._changed(
            update(t)
            .where(t.c.id == task_id, t.c.key_id == key_id, or_(_queued, _running))
            .values(**_final(Status.CANCELLED))
        )

    async def position(self, task: Task) -> int:
        """How many queued tasks run before this one."""
        ahead = or_(
            t.c.priority > task.priority,
            and_(t.c.priority == task.priority, t.c.rank < task.rank),
            and_(t.c.priority == task.priority, t.c.rank == task.rank, t.c.id < task.id),
        )
        rows = await self._rows(select(func.count()).where(_queued, ahead).select_from(t))
        return int(rows[0][0])

    async def counts(self) -> QueueCounts:
        def count(*where: ColumnElement[bool]) -> Any:
            return select(func.count()).select_from(t).where(*where).scalar_subquery()

        rows = await self._rows(
            select(
                count(_queued),
                count(_running),
                count(t.c.finished_at > seconds_from_now(-60)),
            )
        )
        return QueueCounts(*rows[0])

    async def oldest_queued(self) -> datetime | None:
        """When the task that has waited longest was accepted."""
        rows = await self._rows(select(func.min(t.c.created_at)).where(_queued))
        return rows[0][0]  # type: ignore[no-any-return]

    async def last_backup(self) -> datetime | None:
        """When the newest backup of this database ended."""
        rows = await self._rows(select(func.max(backups.c.finished_at)))
        return rows[0][0]  # type: ignore[no-any-return]

    # -- the worker's side -----------------------------------------------------------------

    async def claim(self, worker_id: str) -> Task | None:
        """Takes the next task in fair order, with a lease."""
        following = (
            select(t.c.id)
            .where(_queued, t.c.deadline_at > seconds_from_now(0))
            .order_by(t.c.priority.desc(), t.c.rank, t.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        rows = await self._rows(
            update(t)
            .where(t.c.id == following)
            .values(
                status=Status.RUNNING,
                attempt=t.c.attempt + 1,
                worker_id=worker_id,
                lease_until=seconds_from_now(self._settings.lease_seconds),
                started_at=seconds_from_now(0),
                step=0,
            )
            .returning(t)
        )
        return Task.from_row(rows[0]) if rows else None

    async def renew(self, claim: Claim, step: int) -> bool:
        """Extends the lease; False when the claim is lost."""
        lease_until = seconds_from_now(self._settings.lease_seconds)
        return await self._changed(_held(claim).values(lease_until=lease_until, step=step))

    async def succeed(self, claim: Claim, images: Sequence[Image]) -> bool:
        return await self._changed(
            _held(claim).values(
                **_final(Status.SUCCEEDED), images=_stored(images), error_code=None, error=None
            )
        )

    async def fail(self, claim: Claim, error_code: str, error: str) -> bool:
        return await self._changed(
            _held(claim).values(**_final(Status.FAILED), error_code=error_code, error=error)
        )

    async def retry(self, claim: Claim, error_code: str, error: str) -> Status | None:
        """Charges a failed attempt; the last one ends the task. None when the claim is lost."""
        rows = await self._rows(
            _held(claim).values(**_lost_attempt(error_code, error)).returning(t.c.status)
        )
        return Status(rows[0].status) if rows else None

    async def record(self, claim: Claim, images: Sequence[Image]) -> bool:
        """Keeps the pictures made so far: the next attempt goes on after them."""
        return await self._changed(_held(claim).values(images=_stored(images)))

    async def hand_back(self, claim: Claim) -> bool:
        """Gives a task up through no fault of its own: it keeps its attempts."""
        return await self._changed(_held(claim).values(status=Status.QUEUED, lease_until=None))

    # -- the relay's side ------------------------------------------------------------------

    async def requeue_expired(self) -> list[Task]:
        """Takes tasks from workers that stopped renewing their leases."""
        return await self._updated(
            update(t)
            .where(_running, t.c.lease_until < seconds_from_now(0))
            .values(**_lost_attempt("worker_lost", "The worker stopped without a result."))
        )

    async def fail_overdue(self) -> list[Task]:
        return await self._updated(
            update(t)
            .where(_queued, t.c.deadline_at < seconds_from_now(0))
            .values(
                **_final(Status.FAILED),
                error_code="deadline_exceeded",
                error="The task was not started before its deadline.",
            )
        )

    async def _updated(self, statement: Update) -> list[Task]:
        return [Task.from_row(row) for row in await self._rows(statement.returning(t))]

    async def queued_ids(self, limit: int) -> list[UUID]:
        """The ids of the tasks that run next."""
        rows = await self._rows(
            select(t.c.id)
            .where(_queued)
            .order_by(t.c.priority.desc(), t.c.rank, t.c.id)
            .limit(limit)
        )
        return [row.id for row in rows]

    # -- the operator's side ---------------------------------------------------------------

    async def dead(self) -> list[Task]:
        """Tasks that used up their attempts."""
        rows = await self._rows(select(t).where(_dead).order_by(t.c.id))
        return [Task.from_row(row) for row in rows]

    async def requeue_dead(self, task_ids: Sequence[UUID] | None) -> list[UUID]:
        chosen = _dead if task_ids is None else and_(_dead, t.c.id.in_(task_ids))
        rows = await self._rows(
            update(t)
            .where(chosen)
            .values(
                status=Status.QUEUED,
                attempts_left=self._settings.max_attempts,
                finished_at=None,
                deadline_at=seconds_from_now(self._settings.task_seconds),
            )
            .returning(t.c.id)
        )
        return [row.id for row in rows]

    async def ping(self) -> None:
        await self._rows(select(literal_column("1")))


def _fair_rank(key_id: int, priority: int) -> ColumnElement[int]:
    """Deals the queue out key by key: a key's first task goes level with the head of the queue,
    each further one a rank behind, however many another key has waiting."""
    waiting = (_queued, t.c.priority == priority)
    behind_own = select(func.max(t.c.rank) + 1).where(*waiting, t.c.key_id == key_id)
    level_with_head = select(func.min(t.c.rank)).where(*waiting)
    return func.coalesce(behind_own.scalar_subquery(), level_with_head.scalar_subquery(), 0)


def _held(claim: Claim) -> Update:
    return update(t).where(t.c.id == claim.task_id, t.c.attempt == claim.attempt, _running)


def _final(status: Status) -> dict[str, Any]:
    return {"status": status, "lease_until": None, "finished_at": seconds_from_now(0)}


def _lost_attempt(error_code: str, error: str) -> dict[str, Any]:
    """Back into the queue, or dead when it was the last attempt."""
    last = t.c.attempts_left <= 1
    return {
        "status": case((last, Status.FAILED), else_=Status.QUEUED),
        "attempts_left": t.c.attempts_left - 1,
        "lease_until": None,
        "error_code": error_code,
        "error": error,
        "finished_at": case((last, seconds_from_now(0))),
    }


def _stored(images: Sequence[Image]) -> list[dict[str, Any]]:
    return [image.model_dump(mode="json") for image in images]
