"""A task's way to its end, as server-sent events."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from fastapi import Request
from sse_starlette import ServerSentEvent

from api.problems import document, problem_of
from api.services import Services
from api.views import task_view
from tasks.outages import is_outage
from tasks.queue import Event
from tasks.schema import Status
from tasks.task import Task

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_POLL_SECONDS = 2


async def progress(
    request: Request, services: Services, task: Task
) -> AsyncIterator[ServerSentEvent]:
    try:
        async for event in _told(services, task):
            yield event
    except Exception as error:
        problem = document(request, problem_of(request, error))
        yield ServerSentEvent(event="error", data=json.dumps(problem), sep="\n")


async def _told(services: Services, task: Task) -> AsyncIterator[ServerSentEvent]:
    total = task.parameters.steps * task.parameters.num_images
    position, step, started = -1, 0, False
    with services.events.listen(task.id) as events:
        while not task.status.final:
            if task.status is Status.QUEUED:
                ahead = await _patiently(partial(services.store.position, task))
                if ahead != position:
                    position, step, started = ahead, 0, False
                    yield _event("queued", position=ahead + 1)
            else:
                if not started:
                    position, started = -1, True
                    yield _event("started", total=total)
                if task.step != step:
                    step = task.step
                    yield _event("step", step=step, total=total)
            task = await _changed(services, task, events)
    yield ServerSentEvent(event="done", data=task_view(task).model_dump_json(), sep="\n")


async def _changed(services: Services, task: Task, events: asyncio.Queue[Event]) -> Task:
    """The task after its next event; events get lost, so the store is asked now and then."""
    event = None
    with suppress(TimeoutError):
        event = await asyncio.wait_for(events.get(), _POLL_SECONDS)
    if event is not None and event.step and task.status is event.status is Status.RUNNING:
        return replace(task, step=event.step)
    ask = partial(services.store.get, task.id, key_id=task.key_id)
    return await _patiently(ask) or task


async def _patiently(ask: Callable[[], Awaitable[Result]]) -> Result:
    """A store that is away for a while ends no stream: the task goes on."""
    while True:
        try:
            return await ask()
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("outage: %r", error)
            await asyncio.sleep(_POLL_SECONDS)


def _event(name: str, **data: int) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=json.dumps(data), sep="\n")
