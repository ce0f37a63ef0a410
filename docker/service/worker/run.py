"""One task in work: its lease, its progress, and the reasons to stop it."""

import asyncio
import base64
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeVar

from PIL.Image import Image

from core.outages import is_outage
from core.schema import Status
from core.settings import Settings
from tasks.broker import Broker, Event, PartialImage
from tasks.events import EventHub
from tasks.store import Claim, TaskStore
from tasks.task import StoredImage, Task
from worker.model import Interrupted
from worker.previews import preview_jpeg

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.1

Result = TypeVar("Result")


class Run:
    def __init__(
        self,
        task: Task,
        store: TaskStore,
        broker: Broker,
        cancellations: EventHub,
        settings: Settings,
    ) -> None:
        self.task = task
        self.claim = Claim(task.id, task.attempt)
        self.images: list[StoredImage] = []
        self.drawn = asyncio.Event()
        """The task needs the GPU no more."""
        self._store = store
        self._broker = broker
        self._cancellations = cancellations
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        assert task.started_at is not None
        # Both times are the database's: its clock need not agree with this host's.
        seconds_left = (task.deadline_at - task.started_at).total_seconds()
        self._deadline = self._loop.time() + seconds_left
        self._step = 0
        self._stepped = asyncio.Event()
        self._previews: asyncio.Queue[tuple[int, int, Callable[[], Image]]] = asyncio.Queue()
        self._moved_at = self._loop.time()
        self._unwanted = False

    def step_done(self, step: int) -> None:
        """Called in the inference thread."""
        self.raise_if_unwanted()
        self._step = step
        self._moved_at = self._loop.time()
        self._loop.call_soon_threadsafe(self._stepped.set)

    def raise_if_unwanted(self) -> None:
        if self._unwanted:
            raise Interrupted

    async def insist(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """A finished picture is worth waiting for a store that comes back."""
        while True:
            self.raise_if_unwanted()
            self._moved_at = self._loop.time()
            try:
                return await call()
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("a store does not answer: %r", error)
                await asyncio.sleep(1)

    def preview(self, n: int, number: int, render: Callable[[], Image]) -> None:
        """Called in the inference thread."""
        self._loop.call_soon_threadsafe(self._previews.put_nowait, (n, number, render))

    async def publish(self, status: Status, partial_image: PartialImage | None = None) -> None:
        # Whoever waits for an event that gets lost asks the store.
        with suppress(Exception):
            await self._broker.publish(Event(self.task.id, status, self._step, partial_image))

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keeps the lease and watches over the run."""
        watchers = [
            asyncio.create_task(watch())
            for watch in (
                self._beat,
                self._report,
                self._show,
                self._obey,
                self._meet_deadline,
            )
        ]
        try:
            yield
        finally:
            self.drawn.set()
            for watcher in watchers:
                watcher.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            if self._loop.time() - self._moved_at > self._settings.stall_seconds:
                log.critical("no step for %s s, this process ends", self._settings.stall_seconds)
                os._exit(1)  # a thread that hangs in the driver cannot be ended otherwise
            try:
                if not await self._store.renew(self.claim, self._step):
                    self._unwanted = True
            except Exception as error:
                log.warning("heartbeat: %r", error)

    async def _report(self) -> None:
        while True:
            await self.publish(Status.RUNNING)
            await asyncio.sleep(_REPORT_SECONDS)
            await self._stepped.wait()
            self._stepped.clear()

    async def _show(self) -> None:
        while True:
            n, number, render = await self._previews.get()
            try:
                jpeg = await asyncio.to_thread(preview_jpeg, render)
            except Exception as error:  # a picture is as good without
                log.warning("preview: %r", error)
                continue
            preview = PartialImage(n, number, base64.b64encode(jpeg).decode())
            await self.publish(Status.RUNNING, preview)

    async def _obey(self) -> None:
        with self._cancellations.listen(self.task.id) as cancelled:
            await cancelled.get()
        self._unwanted = True

    async def _meet_deadline(self) -> None:
        await asyncio.sleep(self._deadline - self._loop.time())
        message = "The task was not done before its deadline."
        with suppress(Interrupted):
            await self.insist(partial(self._store.fail, self.claim, "deadline_exceeded", message))
        self._unwanted = True
        await self.publish(Status.FAILED)
