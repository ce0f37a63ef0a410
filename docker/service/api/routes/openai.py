"""POST /v1/images/generations, as OpenAI's clients speak it, and what an edit answers, too."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Message

from api.dependencies import Provided
from api.errors import problem_of
from api.images import in_base64, size_of
from api.openai_errors import OpenAIErrorResponse, error_of
from api.openai_images import ImagesRequest, ImagesResponse, properties, shape, verdict
from api.partial_images import in_full_size
from api.problems import Problem
from api.services import Services
from api.submission import Submission, Submitted, raise_unless_succeeded, wait
from api.views import task_path
from tasks.broker import Event, PartialImage
from tasks.task import Task

router = APIRouter(prefix="/v1", tags=["openai"])

_LINK_SECONDS = 3600
_PING_SECONDS = 15


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": OpenAIErrorResponse} for status in statuses}


@router.post(
    "/images/generations",
    summary="Make pictures (OpenAI-compatible)",
    response_model=ImagesResponse,
    response_model_exclude_none=True,
    responses={
        200: {"content": {"text/event-stream": {}}},
        **documented(400, 401, 409, 410, 413, 415, 429, 500, 503, 504),
    },
)
async def generate_images(
    request: Request,
    submission: Submitted,
    services: Provided,
    body: ImagesRequest,
) -> Response:
    task = await submission.accept(body.parameters(services.settings), await request.json())
    return await answer(request, submission, services, body, task)


async def answer(
    request: Request,
    submission: Submission,
    services: Services,
    body: ImagesRequest,
    task: Task,
) -> Response:
    """What came of the task, at once or in a stream, once it is known."""
    headers = {"Location": task_path(task)}
    wait_seconds = services.settings.max_wait_seconds
    if body.stream:
        events = _stream(request, services, task, body, wait_seconds)

        # No pings by the library: one may come in the middle of a picture.
        async def leave(_message: Message) -> None:
            submission.left(task)

        return EventSourceResponse(
            events, headers=headers, ping=0, client_close_handler_callable=leave
        )
    task = await submission.wait(task, wait_seconds)
    _raise_unless_done(task)
    if not body.wants_base64:
        return JSONResponse(
            _answer(services, task, body) | {"data": _links(request, services, task)},
            headers=headers,
        )
    sizes = [await size_of(services, image) for image in task.images]
    return StreamingResponse(
        _with_pictures(services, task, body, sizes), media_type="application/json", headers=headers
    )


def _answer(services: Services, task: Task, body: ImagesRequest) -> dict[str, Any]:
    created = int(task.created_at.timestamp())
    return {"created": created, **properties(task, body, services.settings)}


def _raise_unless_done(task: Task) -> None:
    if not task.status.final:
        raise Problem(504, "timeout", "The pictures are not done yet.")
    raise_unless_succeeded(task)


def _links(request: Request, services: Services, task: Task) -> list[dict[str, Any]]:
    base = (services.settings.public_url or str(request.base_url)).rstrip("/")
    expires = int(time.time()) + _LINK_SECONDS
    return [
        {"url": base + services.links.sign(f"{task_path(task)}/images/{n}", expires)}
        | verdict(image)
        for n, image in enumerate(task.images)
    ]


async def _with_pictures(
    services: Services, task: Task, body: ImagesRequest, sizes: list[int]
) -> AsyncIterator[bytes]:
    yield _open_ended(_answer(services, task, body), "data") + b"["
    for n, (image, size) in enumerate(zip(task.images, sizes, strict=True)):
        yield (b", " if n else b"") + _open_ended(verdict(image), "b64_json") + b'"'
        async for piece in in_base64(services, image, size):
            yield piece
        yield b'"}'
    yield b"]}"


def _open_ended(value: dict[str, Any], key: str) -> bytes:
    """The value's JSON, up to what another key holds."""
    before = json.dumps(value)[:-1]
    return f"{before}{', ' if value else ''}{json.dumps(key)}: ".encode()


def _error_event(request: Request, error: Exception) -> dict[str, Any]:
    return {"type": "error", "error": error_of(problem_of(request, error)).model_dump()}


async def _stream(
    request: Request, services: Services, task: Task, body: ImagesRequest, seconds: float
) -> AsyncIterator[ServerSentEvent | bytes]:
    waiting = asyncio.create_task(wait(services, task, seconds))
    try:
        with services.events.listen(task.id) as events:
            ping_at = time.monotonic() + _PING_SECONDS
            while not (waiting.done() and events.empty()):
                event = await _next_event(events, waiting, ping_at - time.monotonic())
                if event and event.partial_image:
                    yield await _partial_event(services, task, body, event.partial_image)
                elif time.monotonic() >= ping_at:
                    yield ServerSentEvent(comment="ping", sep="\n")
                else:
                    continue
                ping_at = time.monotonic() + _PING_SECONDS
        task = await waiting
        _raise_unless_done(task)
        sizes = [await size_of(services, image) for image in task.images]
    except Exception as error:
        told = json.dumps(_error_event(request, error))
        yield ServerSentEvent(event="error", data=told, sep="\n")
        return
    finally:
        waiting.cancel()
    for image, size in zip(task.images, sizes, strict=True):
        name = f"{body.events}.completed"
        made = {"type": name, "created_at": int(time.time())}
        made |= properties(task, body, services.settings) | verdict(image)
        yield f"event: {name}\ndata: ".encode() + _open_ended(made, "b64_json") + b'"'
        try:
            async for piece in in_base64(services, image, size):
                yield piece
        except Exception as error:
            # What was sent can't be taken back. Of two names in one event, and in one object, the
            # later counts, so that this event becomes the error's.
            told = json.dumps(_error_event(request, error))[1:]
            yield f'", {told}\nevent: error\n\n'.encode()
            return
        yield b'"}\n\n'


async def _next_event(
    events: asyncio.Queue[Event], waiting: asyncio.Task[Task], seconds: float
) -> Event | None:
    """None when the task is done before it comes, or the time is up."""
    coming = asyncio.ensure_future(events.get())
    await asyncio.wait({coming, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if coming.done():
        return coming.result()
    coming.cancel()
    return None


async def _partial_event(
    services: Services, task: Task, body: ImagesRequest, partial_image: PartialImage
) -> ServerSentEvent:
    name = f"{body.events}.partial_image"
    event = {
        "type": name,
        "created_at": int(time.time()),
        "partial_image_index": partial_image.number,
        "b64_json": await in_full_size(partial_image, task.parameters),
        **shape(task, services.settings),
    }
    return ServerSentEvent(event=name, data=json.dumps(event), sep="\n")
