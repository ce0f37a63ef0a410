"""Tasks as clients see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.services import Services
from core.schema import Status
from tasks.parameters import Parameters
from tasks.task import Task


class ImageView(BaseModel):
    url: str
    seed: int
    width: int
    height: int
    flagged: bool | None
    """Whether the safety checker found it unfit to be shown: then it is black. null where the
    service has none."""


class Timings(BaseModel):
    queued_seconds: float | None
    generation_seconds: float | None


class UploadView(BaseModel):
    """Of one picture to the address that the request named."""

    delivered_at: datetime | None
    next_attempt_at: datetime | None
    """null when there will be none."""
    outcome: str | None
    """The status of the last answer, or why there was none; null before the first attempt."""


class ErrorView(BaseModel):
    code: str
    message: str


class TaskView(BaseModel):
    id: UUID
    status: Status
    parameters: Parameters
    step: int
    total_steps: int
    images: list[ImageView]
    error: ErrorView | None
    timings: Timings
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_seconds: float | None = None
    """How long it takes until the task is done, as others took; null once it is final, and where
    nothing was measured yet."""
    worker_starting: bool = False
    """No worker is there for it yet. One is starting, which is a part of `eta_seconds`."""
    uploads: list[UploadView] | None = None
    """How it went to send each picture; null where the request named no addresses, and in lists."""
    events_url: str | None = None
    """Where a browser's EventSource, which sends no key, follows it; null once it is final."""


def task_path(task: Task) -> str:
    return f"/api/tasks/{task.id}"


def task_view(task: Task) -> TaskView:
    return TaskView(
        id=task.id,
        status=task.status,
        parameters=task.parameters,
        step=task.total_steps if task.status is Status.SUCCEEDED else task.step,
        total_steps=task.total_steps,
        images=[
            ImageView(
                url=f"{task_path(task)}/images/{n}",
                seed=image.seed,
                width=task.size_of(image)[0],
                height=task.size_of(image)[1],
                flagged=image.flagged,
            )
            for n, image in enumerate(task.images)
        ],
        error=ErrorView(code=task.error_code, message=task.error or "")
        if task.error_code
        else None,
        timings=Timings(
            queued_seconds=task.queued_seconds, generation_seconds=task.generation_seconds
        ),
        created_at=task.created_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
    )


def live_view(services: Services, task: Task) -> TaskView:
    """With the step that was told last, where the record has one of the last heartbeat."""
    view = task_view(task)
    if task.status.final:
        return view
    told = services.events.latest(task.id)
    if told and told.status is task.status is Status.RUNNING:
        view.step = max(view.step, told.step)
    # A task is final by its deadline, or soon after.
    expires = int(task.deadline_at.timestamp()) + 60
    view.events_url = services.links.sign(f"{task_path(task)}/events", expires)
    return view


async def whole_view(services: Services, task: Task) -> TaskView:
    """With what became of its uploads."""
    view = live_view(services, task)
    if task.parameters.upload:
        view.uploads = [
            UploadView(
                delivered_at=it.delivered_at,
                next_attempt_at=it.due_at if task.status.final else None,
                outcome=it.outcome,
            )
            for it in await services.sent.of(task.id)
        ]
    return view


async def estimated_view(services: Services, task: Task) -> TaskView:
    """With how long it takes, where the stores tell."""
    view = await whole_view(services, task)
    estimate = await services.estimates.of(task)
    if estimate:
        view.eta_seconds = estimate.seconds
        view.worker_starting = estimate.worker_starting
    return view
