"""/api/tasks: a key's own tasks and their pictures."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from api.auth import Caller, Credentials, authenticate
from api.problems import Problem, documented
from api.progress import progress
from api.services import Provided
from api.views import TaskView, task_view
from tasks.parameters import ImageFormat
from tasks.queue import Event
from tasks.schema import Status
from tasks.task import Image, Task

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

_LINK_LIFETIME = timedelta(minutes=15)


async def _own_task(task_id: UUID, services: Provided, key: Caller) -> Task:
    task = await services.store.get(task_id, key_id=key.id)
    if task is None:
        # Another key's task looks like none at all.
        raise Problem(404, "not-found", "There is no such task.")
    return task


OwnTask = Annotated[Task, Depends(_own_task)]


class TaskPage(BaseModel):
    tasks: list[TaskView]
    next: UUID | None
    """Give it as `before` to get the following page; null on the last."""


@router.get("", summary="List tasks, newest first", responses=documented(401, 422, 503))
async def list_tasks(
    services: Provided,
    key: Caller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: UUID | None = None,
) -> TaskPage:
    # One more than asked for tells whether another page follows.
    found = await services.store.page(key_id=key.id, before=before, limit=limit + 1)
    page = found[:limit]
    return TaskPage(
        tasks=[task_view(task) for task in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.get("/{task_id}", summary="Get a task", responses=documented(401, 404, 422, 503))
async def get_task(task: OwnTask) -> TaskView:
    return task_view(task)


@router.delete(
    "/{task_id}",
    summary="Cancel a task",
    description="Also while it runs. A task that is final already stays as it is.",
    responses=documented(401, 404, 422, 503),
)
async def cancel_task(task: OwnTask, services: Provided) -> TaskView:
    if await services.store.cancel(task.id, key_id=task.key_id):
        with suppress(Exception):  # the worker finds out at its next heartbeat
            await services.queue.publish(Event(task.id, Status.CANCELLED))
    return task_view(await services.store.get(task.id, key_id=task.key_id) or task)


@router.get(
    "/{task_id}/events",
    summary="Follow a task",
    description="Server-sent events: `queued` with the position, `started`, `step`, `done`.",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {}}},
        **documented(401, 404, 422, 503),
    },
)
async def follow_task(task: OwnTask, services: Provided) -> EventSourceResponse:
    return EventSourceResponse(progress(services, task), ping=15)


async def _picture(
    task_id: UUID,
    n: Annotated[int, Path(ge=0)],
    request: Request,
    services: Provided,
    credentials: Credentials,
    expires: Annotated[int, Query(ge=0, le=2**53)] = 0,
    signature: Annotated[str, Query(max_length=100)] = "",
) -> Image:
    """The picture, for its key or for whoever has a signed link to it."""
    key_id = None
    if not services.links.valid(request.url.path, expires, signature):
        key_id = (await authenticate(services, credentials)).id
    task = await services.store.get(task_id, key_id=key_id)
    if task is None or n >= len(task.images):
        raise Problem(404, "not-found", "There is no such picture.")
    return task.images[n]


@router.get(
    "/{task_id}/images/{n}",
    summary="Get a picture",
    response_class=Response,
    responses={
        200: {"content": {format_.media_type: {} for format_ in ImageFormat}},
        302: {"description": "The picture is at `Location` for a while."},
        **documented(401, 404, 422, 503),
    },
)
async def get_image(
    image: Annotated[Image, Depends(_picture)],
    services: Provided,
    redirect: Annotated[bool, Query(description="Whether a redirect will do.")] = True,
) -> Response:
    if redirect and services.pictures.presigns:
        url = await services.pictures.presigned_url(image, _LINK_LIFETIME)
        return RedirectResponse(url, status_code=302)
    return Response(
        await services.pictures.get(image),
        media_type=image.media_type,
        headers={"ETag": f'"{image.sha256}"', "Cache-Control": "private, max-age=31536000"},
    )
