"""A task's way to its end, as server-sent events."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final, Self, TypeVar

from fastapi import Request
from sse_starlette import ServerSentEvent

from api.errors import document, problem_of
from api.services import Services
from api.views import live_view, task_view
from core.outages import is_outage
from core.schema import Status
from tasks.broker import Event, PartialImage
from tasks.task import Task

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_POLL_SECONDS = 2


DONE: Final = "done"


async def progress(
    request: Request, services: Services, task: Task, last_event_id: str
) -> AsyncIterator[ServerSentEvent]:
    """Ends with `done` or `error`; or with `continue`, and where to go on, once it has lasted as
    long as a request may: a pod that leaves has that long, and cuts no stream."""
    try:
        async for event in _told(services, task, _Known.until(last_event_id)):
            yield event
    except Exception as error:
        problem = document(request, problem_of(request, error))
        yield ServerSentEvent(event="error", data=json.dumps(problem), sep="\n")


@dataclass
class _Known:
    """What the client has been told."""

    position: int = -1
    worker_starting: bool = False
    attempt: int = 0
    step: int = 0

    @classmethod
    def until(cls, last_event_id: str) -> Self:
        match last_event_id.split("-"):
            case ["queued", position, *starting] if position.isdecimal():
                return cls(position=int(position), worker_starting=starting == ["starting"])
            case ["running", attempt, step] if attempt.isdecimal() and step.isdecimal():
                return cls(attempt=int(attempt), step=int(step))
        return cls()


async def _told(services: Services, task: Task, known: _Known) -> AsyncIterator[ServerSentEvent]:
    total = task.total_steps
    deadline = asyncio.get_running_loop().time() + services.settings.max_wait_seconds
    with services.events.listen(task.id) as events:
        try:
            while not task.status.final:
                if task.status is Status.QUEUED:
                    ask = partial(services.workload.ahead, task)
                    position = (await _by(deadline, _patiently(ask))).position + 1
                    estimate = await _by(deadline, services.estimates.of(task))
                    starting = estimate is not None and estimate.worker_starting
                    if (position, starting) != (known.position, known.worker_starting):
                        known = _Known(position, worker_starting=starting)
                        yield _event(
                            "queued",
                            f"queued-{position}{'-starting' if starting else ''}",
                            position=position,
                            eta_seconds=estimate.seconds if estimate else None,
                            worker_starting=starting,
                        )
                else:
                    if task.attempt != known.attempt:
                        known = _Known(attempt=task.attempt)
                        yield _event("started", f"running-{task.attempt}-0", total=total)
                    if task.step > known.step:  # the store's is that of the last heartbeat
                        known.step = task.step
                        id_ = f"running-{task.attempt}-{task.step}"
                        yield _event("step", id_, step=task.step, total=total)
                task, partial_image = await _by(deadline, _changed(services, task, events))
                if partial_image is not None:
                    # Without an id of its own: whoever comes back later gets none again.
                    data = json.dumps(asdict(partial_image))
                    yield ServerSentEvent(event="partial_image", data=data, sep="\n")
        except TimeoutError:
            url = live_view(services, task).events_url
            # Without an id of its own: it leaves the last one as it is.
            yield ServerSentEvent(event="continue", data=json.dumps({"url": url}), sep="\n")
            return
    yield ServerSentEvent(event=DONE, id=DONE, data=task_view(task).model_dump_json(), sep="\n")


async def _by(deadline: float, answer: Awaitable[Result]) -> Result:
    """@throws TimeoutError"""
    async with asyncio.timeout_at(deadline):
        return await answer


async def _changed(
    services: Services, task: Task, events: asyncio.Queue[Event]
) -> tuple[Task, PartialImage | None]:
    """The task after its next event; events get lost, so the store is asked now and then."""
    event = None
    with suppress(TimeoutError):
        event = await asyncio.wait_for(events.get(), _POLL_SECONDS)
    if event is not None and event.step and task.status is event.status is Status.RUNNING:
        return replace(task, step=event.step), event.partial_image
    ask = partial(services.store.get, task.id, key_id=task.key_id)
    changed = await _patiently(ask) or task
    return changed, event.partial_image if event else None


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


def _event(name: str, id_: str, **data: float | None) -> ServerSentEvent:
    return ServerSentEvent(event=name, id=id_, data=json.dumps(data), sep="\n")
