"""Tasks as clients see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from tasks.parameters import Parameters
from tasks.schema import Status
from tasks.task import Task


class ImageView(BaseModel):
    url: str
    seed: int


class Timings(BaseModel):
    queued_seconds: float | None
    generation_seconds: float | None


class ErrorView(BaseModel):
    code: str
    message: str


class TaskView(BaseModel):
    id: UUID
    status: Status
    parameters: Parameters
    step: int
    images: list[ImageView]
    error: ErrorView | None
    timings: Timings
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def task_path(task: Task) -> str:
    return f"/api/tasks/{task.id}"


def task_view(task: Task) -> TaskView:
    return TaskView(
        id=task.id,
        status=task.status,
        parameters=task.parameters,
        step=task.step,
        images=[
            ImageView(url=f"{task_path(task)}/images/{n}", seed=image.seed)
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
