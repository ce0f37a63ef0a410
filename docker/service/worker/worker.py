"""The worker's loop: one ticket, one claim, one task at a time."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tasks import metrics
from tasks.pictures import PictureStore, encode
from tasks.queue import Event, Queue
from tasks.schema import Status
from tasks.settings import Settings
from tasks.store import Claim, TaskStore
from tasks.task import Image, Task
from worker import model as models
from worker.model import Interrupted, Model

log = logging.getLogger(__name__)

_POLL_SECONDS = 5
"""How long a worker without a ticket waits before it asks the store all the same."""


@dataclass
class _Run:
    """The task in work, shared by the event loop and the inference thread."""

    task: Task
    claim: Claim
    step: int = 0
    lost: bool = False
    images: list[Image] = field(default_factory=list)


class Worker:
    def __init__(
        self, store: TaskStore, queue: Queue, pictures: PictureStore, settings: Settings
    ) -> None:
        self._store = store
        self._queue = queue
        self._pictures = pictures
        self._settings = settings
        # Inference has its own thread: the event loop goes on renewing the lease.
        self._inference = ThreadPoolExecutor(1, "inference")
        self._model: Model | None = None
        self._stopping = asyncio.Event()

    @property
    def ready(self) -> bool:
        return self._model is not None and not self._stopping.is_set()

    def stop(self) -> None:
        """Finishes the task in work, takes no other."""
        self._stopping.set()

    def memory_used(self) -> dict[str, int]:
        return self._model.memory_used() if self._model else {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._model = await loop.run_in_executor(self._inference, models.load, self._settings)
        log.info("model loaded", extra={"model": self._settings.model_id})
        while not self._stopping.is_set():
            try:
                task = await self._next()
                if task is not None:
                    await self._process(self._model, task)
            except Exception:
                log.exception("worker: a store does not answer")
                await asyncio.sleep(1)

    async def _next(self) -> Task | None:
        ticket = None
        try:
            ticket = await self._queue.take(self._settings.worker_id, _POLL_SECONDS)
        except Exception as error:
            log.warning("queue: %r", error)
            await asyncio.sleep(1)
        if self._stopping.is_set():
            # Not acknowledged: the relay makes a new ticket of it.
            return None
        task = await self._store.claim(self._settings.worker_id)
        if ticket is not None:
            with suppress(Exception):
                await self._queue.acknowledge(ticket)
        return task

    async def _process(self, model: Model, task: Task) -> None:
        run = _Run(task, Claim(task.id, task.attempt))
        context = {"task_id": str(task.id), "request_id": task.request_id, "attempt": task.attempt}
        log.info("task started", extra=context)
        started = time.monotonic()
        await self._publish(run, Status.RUNNING)
        async with self._heartbeat(run):
            try:
                await self._make_images(model, run)
                done = await self._store.succeed(run.claim, run.images)
                status = Status.SUCCEEDED
            except Interrupted:
                done = False
            except Exception as error:
                log.exception("task failed", extra=context)
                done = await self._store.fail(run.claim, "generation_failed", type(error).__name__)
                status = Status.FAILED
        if done:
            await self._publish(run, status)
            seconds = time.monotonic() - started
            metrics.GENERATION.observe(seconds)
            log.info("task finished", extra=context | {"status": status, "seconds": seconds})
        else:
            log.warning("claim lost", extra=context)
            for image in run.images:
                await self._pictures.delete(image)

    async def _make_images(self, model: Model, run: _Run) -> None:
        loop = asyncio.get_running_loop()
        parameters = run.task.parameters

        def generate(n: int) -> bytes:
            def on_step(step: int) -> None:
                if run.lost:
                    raise Interrupted
                run.step = n * parameters.steps + step
                loop.call_soon_threadsafe(lambda: loop.create_task(self._publish(run, "step")))

            return encode(model.generate(parameters, n, on_step), parameters, n)

        for n in range(parameters.num_images):
            data = await loop.run_in_executor(self._inference, generate, n)
            run.images.append(await self._pictures.put(data, parameters, run.claim, n))

    async def _publish(self, run: _Run, status: str) -> None:
        with suppress(Exception):
            await self._queue.publish(Event(run.task.id, status, run.step))

    @asynccontextmanager
    async def _heartbeat(self, run: _Run) -> AsyncIterator[None]:
        async def beat() -> None:
            while not run.lost:
                await asyncio.sleep(self._settings.heartbeat_seconds)
                try:
                    run.lost = not await self._store.renew(run.claim, run.step)
                except Exception as error:
                    log.warning("heartbeat: %r", error)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
