"""Accepts tasks and waits for them: what both POST routes share."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from uuid_utils.compat import uuid7

from api.dependencies import Caller, ClientAddress, Provided
from api.models import check_loras, model_of
from api.preferences import RESPOND_ASYNC, preferences
from api.problems import NO_RETRY, Problem, invalid
from api.sampling import sampled, sampling_of
from api.services import Services
from api.views import task_path
from core import tracing
from core.keys import Key
from core.outages import is_outage
from core.schema import Status
from tasks import canary
from tasks.parameters import Parameters
from tasks.task import Task
from tasks.uploads import without_query

log = logging.getLogger(__name__)

_POLL_SECONDS = 2
"""Events get lost; the store is asked again at least this often."""


class Submission:
    """One request for pictures: its caller, its headers, and what it may do with them."""

    def __init__(
        self,
        request: Request,
        services: Services,
        key: Key,
        client: str,
        idempotency_key: str | None,
    ) -> None:
        self._services = services
        self._key = key
        self._client = client
        self._path = request.url.path
        self._request_id: str = request.state.request_id
        self._headers: dict[str, str] = request.state.headers
        self._idempotency_key = idempotency_key
        self._request = request
        wanted = preferences(request.headers.get("prefer"))
        self._kept = idempotency_key is not None or RESPOND_ASYNC in wanted

    async def accept(
        self,
        parameters: Parameters,
        body: dict[str, Any],
        files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Task:
        """A new task, or the one that this idempotency key made before. From here on each answer
        names it, whatever goes wrong.

        @param body: what makes two requests the same
        @param files: inputs that came beside the parameters, by their names there"""
        task = await self._accept(parameters, body, files)
        self._headers |= {"Location": task_path(task), "X-Task-Id": str(task.id)}
        tracing.note(task_id=str(task.id))
        if self._idempotency_key is None:
            self._headers |= NO_RETRY
        return task

    async def wait(self, task: Task, seconds: float) -> Task:
        """As the function does, while the client is there. @throws Problem: it has left"""
        if seconds == 0:
            return task
        waiting = asyncio.create_task(wait(self._services, task, seconds))
        leaving = asyncio.create_task(_departure(self._request))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            self.left(task)
            raise Problem(408, "client-left", "The client has left.")
        finally:
            waiting.cancel()
            leaving.cancel()

    def left(self, task: Task) -> None:
        """Nobody else can come back for a task without a name of its client's own."""
        if not self._kept:
            self._services.departures.left(task)

    async def _accept(
        self, parameters: Parameters, body: dict[str, Any], files: Mapping[str, bytes]
    ) -> Task:
        if parameters.webhook and self._services.settings.webhook_secret is None:
            message = "There are none here: no secret to sign with is set"
            raise invalid("webhook", "webhooks_off", message)
        if parameters.upload and not self._services.settings.uploads:
            raise invalid("upload", "uploads_off", "Pictures are sent nowhere here")
        if parameters.upscale and self._services.settings.upscaler is None:
            raise invalid("upscale", "upscale_off", "Pictures are not enlarged here")
        fingerprint = self._fingerprint(body) if self._idempotency_key else None
        task = await self._earlier(fingerprint)
        if task is not None:
            return task
        model = model_of(self._services.settings, parameters.model)
        sampling = sampling_of(self._services.settings, parameters.model)
        parameters = sampled(sampling, parameters)
        check_loras(self._services.settings, parameters.loras or [])
        if not parameters.webhook and self._services.settings.webhook_secret:
            parameters = parameters.model_copy(update={"webhook": self._key.webhook})
        self._headers.update(await self._services.limiter.admit(self._client))
        parameters = await self._services.inputs.resolve(
            parameters, self._key, files, sampling.side
        )
        task_id: UUID = uuid7()
        async with self._services.admission.room(self._key, parameters):
            if parameters.webhook:
                await self._services.webhooks.expect(task_id, parameters.webhook)
            if parameters.upload:
                await self._services.sent.expect(task_id, parameters.upload)
                shown = [*map(without_query, parameters.upload)]
                parameters = parameters.model_copy(update={"upload": shown})
            task = await self._services.store.submit(
                parameters,
                key_id=self._key.id,
                request_id=self._request_id,
                model=model,
                priority=self._key.priority,
                idempotency_key=self._idempotency_key,
                request_hash=fingerprint,
                task_id=task_id,
            )
        if task is None:
            await self._services.webhooks.drop(task_id)
            await self._services.sent.drop(task_id)
            # The same request, sent twice at once: the other one made the task.
            task = await self._earlier(fingerprint)
            assert task is not None
            return task
        log.info("task accepted", extra={"task_id": str(task.id)})
        with suppress(Exception):  # accepted is accepted: the relay makes up for a lost ticket
            queue = canary.queue_of(self._services.settings, task.id, task.model)
            await self._services.broker.put([task.id], queue)
        return task

    async def _earlier(self, fingerprint: bytes | None) -> Task | None:
        if self._idempotency_key is None:
            return None
        task = await self._services.store.get_by_idempotency_key(
            self._idempotency_key, key_id=self._key.id
        )
        if task is not None and task.request_hash != fingerprint:
            detail = "This Idempotency-Key came with another body before."
            raise Problem(422, "idempotency-key-reused", detail, task_id=str(task.id))
        return task

    def _fingerprint(self, body: dict[str, Any]) -> bytes:
        canonical = json.dumps([self._path, body], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).digest()


async def _departure(request: Request) -> None:
    """Ends when the client has gone; its body has to have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _submission(
    request: Request,
    services: Provided,
    key: Caller,
    client: ClientAddress,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="Repeating it repeats no work."),
    ] = None,
) -> Submission:
    return Submission(request, services, key, client, idempotency_key)


Submitted = Annotated[Submission, Depends(_submission)]


async def wait(services: Services, task: Task, seconds: float) -> Task:
    """The task in its final state, or as it was seen last when the time is up. A store that is away
    for a while is waited for, too: the task goes on."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with services.events.listen(task.id) as events:
        while not task.status.final:
            remaining = deadline - loop.time()
            if remaining <= 0:
                break
            event = None
            with suppress(TimeoutError):
                event = await asyncio.wait_for(events.get(), min(remaining, _POLL_SECONDS))
            if event is None or event.status is not Status.RUNNING:
                try:
                    task = await services.store.get(task.id, key_id=task.key_id) or task
                except Exception as error:
                    if not is_outage(error):
                        raise
                    log.warning("outage: %r", error, extra={"task_id": str(task.id)})
    return task


def raise_unless_succeeded(task: Task) -> None:
    named: dict[str, Any] = {"task_id": str(task.id), "headers": NO_RETRY}
    if task.status is Status.FAILED:
        code = task.error_code or "failed"
        status = 504 if code == "deadline_exceeded" else 500
        raise Problem(status, code.replace("_", "-"), task.error or "The task failed.", **named)
    if task.status is Status.CANCELLED:
        raise Problem(409, "cancelled", "The task was cancelled.", **named)
