"""/api/operator: what the page at /operator shows, for the operator's key alone."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import BaseModel

from api.dependencies import Caller, Provided
from api.errors import documented
from api.models import models
from api.problems import Problem
from api.services import Services
from core.keys import Key
from core.schema import OPERATOR_KEY_ID
from core.settings import Settings
from tasks.task import Task


async def _operator(key: Caller) -> Key:
    if key.id != OPERATOR_KEY_ID:
        raise Problem(403, "operator-only", "Only the operator's key opens this.")
    return key


router = APIRouter(prefix="/api/operator", tags=["operator"], dependencies=[Depends(_operator)])

_DEAD = 50
"""So many are shown."""


class WaitingView(BaseModel):
    model: str
    queued: int
    oldest_seconds: float


class WorkerView(BaseModel):
    id: str
    task_id: UUID | None
    """null while it is idle."""
    model: str | None
    step: int | None
    total_steps: int | None
    seconds: float | None
    """Since it began."""


class DeadView(BaseModel):
    task_id: UUID
    model: str
    finished_at: datetime | None
    error_code: str | None
    error: str | None


class LatencyView(BaseModel):
    p50: float
    p95: float


class NowView(BaseModel):
    waiting: list[WaitingView]
    workers: list[WorkerView]
    finished_last_minute: int
    latency: LatencyView | None
    """Seconds from acceptance to picture, of the last hour; null where none was drawn."""
    dead: int
    dead_tasks: list[DeadView]
    """Those that died last first."""


class UseView(BaseModel):
    key: str
    tasks: int
    pictures: int
    seconds: float
    """Of workers, that drew for it."""
    cost: float


class UsageView(BaseModel):
    since: datetime
    """A midnight, UTC."""
    keys: list[UseView]
    priced: bool
    """Whether it is known what a worker costs."""


def _name(settings: Settings, task: Task) -> str:
    return task.model or settings.model_id


@router.get("", summary="What the service does now", responses=documented(401, 403, 503))
async def get_now(services: Provided) -> NowView:
    settings, now = services.settings, datetime.now(UTC)
    announced = [await services.broker.workers(queue) for queue in settings.queues]
    running = {task.worker_id or "": task for task in await services.operations.running()}
    waiting = [it for it in await services.store.unfinished() if it.status == "queued"]
    latencies = await services.operations.latencies()
    return NowView(
        waiting=[
            WaitingView(
                model=it.model or settings.model_id,
                queued=it.tasks,
                oldest_seconds=max(0, (now - it.oldest).total_seconds()),
            )
            for it in waiting
        ],
        workers=[
            _worker_view(settings, worker, running.get(worker), now)
            for worker in sorted(set().union(*announced, running))
        ],
        finished_last_minute=(await services.store.counts()).finished_last_minute,
        latency=LatencyView(
            p50=latencies[len(latencies) // 2], p95=latencies[len(latencies) * 95 // 100]
        )
        if latencies
        else None,
        dead=await services.store.dead_count(),
        dead_tasks=[
            DeadView(
                task_id=task.id,
                model=_name(settings, task),
                finished_at=task.finished_at,
                error_code=task.error_code,
                error=task.error,
            )
            for task in await services.operations.dead(_DEAD)
        ],
    )


def _worker_view(settings: Settings, worker: str, task: Task | None, now: datetime) -> WorkerView:
    began = task.started_at if task else None
    return WorkerView(
        id=worker,
        task_id=task.id if task else None,
        model=_name(settings, task) if task else None,
        step=task.step if task else None,
        total_steps=_total_steps(task) if task else None,
        seconds=max(0, (now - began).total_seconds()) if began else None,
    )


def _total_steps(task: Task) -> int | None:
    try:
        return task.total_steps
    except ValueError:  # a record that can't be read is its worker's business
        return None


@router.get("/today", summary="Who had what today", responses=documented(401, 403, 503))
async def get_today(services: Provided) -> UsageView:
    return await _usage(services, _midnight())


@router.get("/month", summary="Who had what this month", responses=documented(401, 403, 503))
async def get_month(services: Provided) -> UsageView:
    return await _usage(services, _midnight().replace(day=1))


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def _usage(services: Services, since: datetime) -> UsageView:
    settings = services.settings
    keys: dict[str, UseView] = {}
    for use in await services.operations.use(since):
        view = keys.setdefault(
            use.key, UseView(key=use.key, tasks=0, pictures=0, seconds=0, cost=0)
        )
        view.tasks += use.tasks
        view.pictures += use.pictures
        view.seconds += use.seconds
        view.cost += use.seconds * settings.price_of(use.model) / 3600
    priced = any(settings.price_of(model) > 0 for model in models(settings))
    return UsageView(since=since, keys=list(keys.values()), priced=priced)


@router.post(
    "/tasks/{task_id}/requeue",
    summary="Give a dead task fresh attempts",
    status_code=204,
    response_class=Response,
    responses=documented(401, 403, 409, 422, 503),
)
async def requeue(task_id: UUID, services: Provided) -> Response:
    if not await services.store.requeue_dead([task_id]):
        raise Problem(409, "not-dead", "The task is not dead, or the queue is full.")
    return Response(status_code=204)
