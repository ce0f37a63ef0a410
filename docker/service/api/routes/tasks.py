"""/api/tasks: a key's own tasks and their pictures."""

import time
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from api.conditions import not_modified
from api.dependencies import Caller, Provided, Viewer
from api.errors import documented
from api.images import picture, size_of
from api.problems import Problem
from api.progress import DONE, progress
from api.views import TaskView, estimated_view, live_view
from core.schema import Status
from tasks.parameters import ImageFormat
from tasks.task import StoredImage, Task

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

_PRESIGNED_SECONDS = 5 * 60
"""A link ends with the session of the role that signed it, which obstore renews so long before:
https://github.com/apache/arrow-rs-object-store/blob/main/src/client/token.rs, min_ttl"""


async def _expiry(
    expires: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    signature: Annotated[str | None, Query(max_length=100)] = None,  # noqa: ARG001
) -> int | None:
    return expires


Expiry = Annotated[int | None, Depends(_expiry)]
"""Of the signed link that was followed, in seconds since 1970; whether it is right is asked before
any route is looked for."""


async def _seen_task(task_id: UUID, services: Provided, viewer: Viewer) -> Task:
    task = await services.store.get(task_id, key_id=viewer.id if viewer else None)
    if task is None:
        # Another key's task looks like none at all.
        raise Problem(404, "not-found", "There is no such task.")
    return task


SeenTask = Annotated[Task, Depends(_seen_task)]


async def _own_task(task: SeenTask, _caller: Caller) -> Task:
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
    status: Status | None = None,
) -> TaskPage:
    # One more than asked for tells whether another page follows.
    found = await services.history.page(
        key_id=key.id, limit=limit + 1, before=before, status=status
    )
    page = found[:limit]
    return TaskPage(
        tasks=[live_view(services, task) for task in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.get("/{task_id}", summary="Get a task", responses=documented(401, 404, 422, 503))
async def get_task(task: OwnTask, services: Provided) -> TaskView:
    return await estimated_view(services, task)


@router.delete(
    "/{task_id}",
    summary="Cancel a task, or forget it",
    description="Cancels a task that waits or runs. Of one that is final, the pictures, those "
    "it was drawn from and the prompt are deleted; the rest of the record stays.",
    responses=documented(401, 404, 422, 503),
)
async def delete_task(task: OwnTask, services: Provided, key: Caller) -> TaskView:
    if task.status.final:
        # The record last: a request that fails between them can be sent again.
        await services.images.delete(task.id)
        await services.sent.drop(task.id)
        await services.inputs.forget(task.parameters, key)
        return live_view(services, await services.history.forget(task))
    await services.departures.cancel(task)
    return live_view(services, await services.store.get(task.id, key_id=task.key_id) or task)


@router.get(
    "/{task_id}/events",
    summary="Follow a task",
    description="Server-sent events: `queued` with the position, `started`, `step`, `done`. The "
    "task's `events_url` needs no key. `continue` says where to go on: with its last event's id as "
    "`Last-Event-ID`, a client is told what it does not know yet.",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {}}},
        204: {"description": "After `done`, which tells an EventSource to stop."},
        **documented(401, 404, 422, 503),
    },
)
async def follow_task(
    request: Request,
    task: SeenTask,
    services: Provided,
    _expiry: Expiry,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> Response:
    if last_event_id == DONE:
        # https://html.spec.whatwg.org/multipage/server-sent-events.html: it connects no more.
        return Response(status_code=204)
    return EventSourceResponse(progress(request, services, task, last_event_id), ping=15)


class AttemptView(BaseModel):
    at: datetime
    outcome: str
    """The status of the answer, or why there was none."""


class WebhookView(BaseModel):
    url: str
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    """null when there will be none."""
    attempts: list[AttemptView]


@router.get(
    "/{task_id}/webhook",
    summary="How it went to tell a task's webhook",
    responses=documented(401, 404, 422, 503),
)
async def get_webhook(task: OwnTask, services: Provided) -> WebhookView:
    webhook = await services.webhooks.get(task.id)
    if webhook is None:
        raise Problem(404, "not-found", "The task has no webhook.")
    return WebhookView(
        url=webhook.url,
        delivered_at=webhook.delivered_at,
        next_attempt_at=webhook.due_at if task.status.final else None,
        attempts=[AttemptView(at=it.at, outcome=it.outcome) for it in webhook.attempts],
    )


async def _image(task: SeenTask, n: Annotated[int, Path(ge=0)]) -> StoredImage:
    if n >= len(task.images):
        raise Problem(404, "not-found", "There is no such picture.")
    return task.images[n]


@router.get(
    "/{task_id}/images/{n}",
    summary="Get a picture",
    response_class=Response,
    responses={
        200: {"content": {format_.media_type: {} for format_ in ImageFormat}},
        302: {"description": "The picture is at `Location` for a while."},
        304: {"description": "The picture is still the one of `If-None-Match`."},
        **documented(401, 404, 410, 422, 503),
    },
)
async def get_image(
    request: Request,
    image: Annotated[StoredImage, Depends(_image)],
    services: Provided,
    viewer: Viewer,
    expires: Expiry,
    redirect: Annotated[bool, Query(description="Whether a redirect will do.")] = True,
) -> Response:
    link_seconds = None
    if viewer is None and expires is not None:
        link_seconds = max(1, int(expires - time.time()))
    size = await size_of(services, image)
    if redirect and services.images.presigns:
        # Where one link leads to another, it lives no longer by that.
        lifetime = timedelta(seconds=min(_PRESIGNED_SECONDS, link_seconds or _PRESIGNED_SECONDS))
        return RedirectResponse(await services.images.presigned_url(image, lifetime), 302)
    # A copy is as good as the link is. With a key it is asked for again each time: the picture may
    # have been deleted, the key revoked.
    freshness = f"max-age={link_seconds}" if link_seconds else "no-cache"
    headers = {"ETag": f'"{image.sha256}"', "Cache-Control": f"private, {freshness}"}
    return not_modified(request, headers) or picture(services, image, size, headers)
