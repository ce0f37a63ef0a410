"""What the store asks of the database. Each is one statement, so no crash can leave half of it,
and is built once: building one takes longer than running it.

A `:name` in a docstring is a parameter that the store fills in.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    SmallInteger,
    Text,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.selectable import ExecutableReturnsRows

from core.schema import (
    Json,
    Status,
    backup_table,
    damaged_picture_table,
    drill_table,
    is_dead,
    scrub_table,
    seconds_from_now,
    status_is,
)
from core.schema import task_table as t
from core.settings import Settings
from tasks import canary

_queued = status_is(Status.QUEUED)
_running = status_is(Status.RUNNING)

_the_task = t.c.id == bindparam("task_id", type_=Uuid())
_of_key = t.c.key_id == bindparam("of_key", type_=Integer())
_of_model = t.c.model.is_not_distinct_from(bindparam("of_model", type_=Text()))
_row_limit = bindparam("row_limit", type_=Integer())
_order = (t.c.priority.desc(), t.c.rank, t.c.id)
"""Of the queue."""


def _in(seconds: str) -> ColumnElement[Any]:
    return seconds_from_now(bindparam(seconds, type_=Float()))


def _due(at: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(t.c.retry_at.is_(None), t.c.retry_at <= at)


def _error() -> dict[str, Any]:
    return {"error_code": bindparam("code", type_=Text()), "error": bindparam("text", type_=Text())}


# -- the API's side ------------------------------------------------------------------------


def _fair_rank() -> Any:
    """The rank of a task of :of_key, :of_priority and :of_model. It deals each model's queue out by
    key, as start-time fair queueing does: a key's task goes level with the queue's head, or a rank
    behind its own last one, however many another key has waiting. The head is as far as what runs,
    so that it moves on while others keep coming. A key's very first task comes after the round
    that runs: else a stream of new keys would hold the head.

    P. Goyal, H. M. Vin, H. Cheng: Start-time Fair Queueing, SIGCOMM 1996."""

    level = and_(t.c.priority == bindparam("of_priority", type_=SmallInteger()), _of_model)
    behind_own = select(func.max(t.c.rank) + 1).where(_queued, level, _of_key)
    running = select(func.max(t.c.rank)).where(_running, level)
    waiting = select(func.min(t.c.rank)).where(_queued, level)
    heads = select(
        func.coalesce(running.scalar_subquery(), -1).label("running"),
        func.coalesce(waiting.scalar_subquery(), 0).label("waiting"),
    ).subquery("heads")
    levels = select(
        heads.c.running,
        case((heads.c.running > heads.c.waiting, heads.c.running), else_=heads.c.waiting).label(
            "head"
        ),
    ).subquery("levels")
    latest = select(case((level, t.c.rank))).where(_of_key).order_by(t.c.id.desc()).limit(1)
    had_its_turn = func.coalesce(latest.scalar_subquery(), levels.c.running) >= levels.c.head
    level_with_head = select(levels.c.head + case((had_its_turn, 1), else_=0))
    return select(
        func.coalesce(behind_own.scalar_subquery(), level_with_head.scalar_subquery()).label("rank")
    )


fair_rank = _fair_rank()


def _submit(insert: Any) -> ExecutableReturnsRows:
    statement: ExecutableReturnsRows = (
        insert(t)
        .values(
            status=Status.QUEUED,
            attempt=0,
            step=0,
            created_at=seconds_from_now(0),
            deadline_at=_in("task_seconds"),
        )
        .on_conflict_do_nothing(
            index_elements=["key_id", "idempotency_key"],
            index_where=t.c.idempotency_key.isnot(None),
        )
        .returning(t)
    )
    return statement


submit = {"postgresql": _submit(postgresql.insert), "sqlite": _submit(sqlite.insert)}
"""Takes many rows, each with a rank and the other columns that are not set above."""

get = select(t).where(_the_task)
get_by_idempotency_key = select(t).where(
    _of_key, t.c.idempotency_key == bindparam("used_key", type_=Text())
)


def _final(status: Status) -> dict[str, Any]:
    return {"status": status, "lease_until": None, "finished_at": seconds_from_now(0)}


cancel = (
    update(t)
    .where(_the_task, _of_key, or_(_queued, _running))
    .values(**_final(Status.CANCELLED))
    .returning(t.c.id)
)


def _count(*where: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(t).where(*where).scalar_subquery()


counts = select(
    _count(_queued).label("queued"),
    _count(_running).label("running"),
    _count(t.c.finished_at > seconds_from_now(-60)).label("finished_last_minute"),
)
unfinished = (
    select(
        t.c.model,
        t.c.status,
        func.count().label("tasks"),
        func.min(t.c.created_at).label("oldest"),
    )
    .where(or_(_queued, _running))
    .group_by(t.c.model, t.c.status)
)
dead_count = select(_count(is_dead).label("dead"))
last_drill = select(drill_table).order_by(drill_table.c.finished_at.desc()).limit(1)
last_good_drill = last_drill.where(drill_table.c.succeeded)
last_backup = select(func.max(backup_table.c.finished_at))
last_scrub = select(func.max(scrub_table.c.finished_at))
damaged_pictures = select(func.count()).select_from(damaged_picture_table)
ping = select(literal_column("1", Integer))

# -- the worker's side ---------------------------------------------------------------------

# The worker that failed a task leaves it to the others for a while.
_due_for_worker = _due(
    case(
        (
            t.c.worker_id == bindparam("worker", type_=Text()),
            seconds_from_now(-bindparam("avoid_seconds", type_=Float())),
        ),
        else_=seconds_from_now(0),
    )
)


def _claim(held: ColumnElement[bool]) -> ExecutableReturnsRows:
    following = (
        select(t.c.id)
        .where(_queued, held, _due_for_worker, t.c.deadline_at > seconds_from_now(0))
        .order_by(*_order)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(t)
        .where(t.c.id == following.scalar_subquery())
        .values(
            status=Status.RUNNING,
            attempt=t.c.attempt + 1,
            worker_id=bindparam("worker", type_=Text()),
            lease_until=_in("lease_seconds"),
            started_at=seconds_from_now(0),
            step=0,
        )
        .returning(t)
    )


_named = t.c.model == bindparam("held_model", type_=Text())
_held = or_(t.c.model.is_(None), _named)


def claim(settings: Settings) -> ExecutableReturnsRows:
    """The next task that names :held_model, or none, as far as it is this worker's."""
    if settings.named_only:
        return _claim(_named)
    if not settings.canary_share:
        return _claim(_held)
    chosen = canary.is_chosen(settings.canary_share)
    return _claim(and_(_held, chosen if settings.canary else not_(chosen)))


def _change(**values: Any) -> Update:
    """Of a task that the claim :task_id, :claimed_attempt still holds."""
    held = (_the_task, t.c.attempt == bindparam("claimed_attempt", type_=Integer()), _running)
    return update(t).where(*held).values(**values).returning(t.c.status)


def _lost_attempt(error: dict[str, Any]) -> dict[str, Any]:
    """Back into the queue, or dead when it was the last attempt."""
    last = t.c.attempts_left <= 1
    return {
        "status": case((last, Status.FAILED), else_=Status.QUEUED),
        "attempts_left": t.c.attempts_left - 1,
        "lease_until": None,
        "finished_at": case((last, seconds_from_now(0))),
        **error,
    }


_pictures = bindparam("pictures", type_=Json)

renew = _change(lease_until=_in("lease_seconds"), step=bindparam("at_step", type_=Integer()))
record = _change(images=_pictures)
succeed = _change(**_final(Status.SUCCEEDED), images=_pictures, error_code=None, error=None)
fail = _change(**_final(Status.FAILED), **_error())
retry = _change(**_lost_attempt(_error()), retry_at=_in("retry_seconds"))
hand_back = _change(status=Status.QUEUED, lease_until=None)

# -- the relay's side ----------------------------------------------------------------------

requeue_expired = (
    update(t)
    .where(_running, t.c.lease_until < seconds_from_now(0))
    .values(
        **_lost_attempt(
            {"error_code": "worker_lost", "error": "The worker stopped without a result."}
        ),
        retry_at=None,
    )
    .returning(t)
)
fail_overdue = (
    update(t)
    .where(_queued, t.c.deadline_at < seconds_from_now(0))
    .values(
        **_final(Status.FAILED),
        error_code="deadline_exceeded",
        error="The task was not started before its deadline.",
    )
    .returning(t)
)
queued_ids = (
    select(t.c.id, t.c.model)
    .where(_queued, _due(seconds_from_now(0)))
    .order_by(*_order)
    .limit(_row_limit)
)

# -- the operator's side -------------------------------------------------------------------

dead = (
    select(t)
    .where(is_dead, t.c.finished_at > seconds_from_now(-bindparam("of_seconds", type_=Float())))
    .order_by(t.c.finished_at)
    .limit(_row_limit)
)
"""Those that died in the last :of_seconds, :row_limit at most."""
requeue_dead = (
    update(t)
    .where(_the_task, is_dead)
    .values(
        status=Status.QUEUED,
        rank=bindparam("fresh_rank", type_=Integer()),
        attempts_left=bindparam("attempts", type_=Integer()),
        finished_at=None,
        retry_at=None,
        deadline_at=_in("task_seconds"),
    )
    .returning(t.c.id)
)
"""Gives a dead task fresh attempts: :attempts of them, and :task_seconds."""
