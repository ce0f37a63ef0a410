"""The worker's loop: a ticket, a claim, and one task at a time on the GPU."""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib import import_module
from uuid import UUID

from opentelemetry.trace import SpanKind
from PIL.Image import Image

from core import logs, metrics, tracing
from core.schema import Status
from core.settings import Settings
from tasks.broker import ANNOUNCE_SECONDS, Broker, Ticket
from tasks.events import EventHub
from tasks.images import ImageStore
from tasks.inputs import InputStore
from tasks.parameters import Parameters
from tasks.store import Claim, TaskStore
from tasks.task import Task
from worker import loading
from worker.batch_size import batch_size
from worker.compilation import compile_beside
from worker.credentials import credentials_of
from worker.encode import encode
from worker.inputs import NO_INPUTS, Inputs, fitted
from worker.meter import Meter
from worker.model import (
    FLAGGED,
    PROMPT_TOKENS,
    Interrupted,
    Missing,
    Model,
    OutOfMemory,
    Poisoned,
    Sick,
)
from worker.run import Run

log = logging.getLogger(__name__)

End = Callable[[Claim, str, str], Awaitable[Status | None]]
"""Of an attempt that failed, with its error's code and text."""

_FAILURES = 3
"""So many tasks that the model failed, one after the other, end a worker."""

_POLL_SECONDS = 5
"""How long a worker without a ticket waits before it asks the store all the same."""


class Worker:
    def __init__(
        self,
        store: TaskStore,
        broker: Broker,
        image_store: ImageStore,
        settings: Settings,
    ) -> None:
        self._store = store
        self._broker = broker
        # Of what other workers do, this one hears nothing else.
        self._cancellations = EventHub(broker, [Status.CANCELLED])
        self._image_store = image_store
        self._input_store = InputStore(settings)
        self._settings = settings
        self._credentials = credentials_of(settings)
        # Inference has its own thread: the event loop goes on renewing the lease.
        self._inference = ThreadPoolExecutor(1, "inference")
        self._model: Model | None = None
        self._meter = Meter(settings.gpu_price)
        self._failed: set[UUID] = set()
        """The tasks that the model failed since its last success."""
        self._stopping = asyncio.Event()
        self._acknowledging: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        return self.loaded and not self._stopping.is_set()

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def stop(self) -> None:
        """Finishes the picture in work and takes no other."""
        self._stopping.set()

    def memory_used(self) -> dict[str, int]:
        return self._model.memory_used() if self._model else {}

    async def run(self) -> None:
        """@throws Poisoned, Sick: this process should make no more pictures"""
        loop = asyncio.get_running_loop()
        load = loop.run_in_executor(self._inference, loading.load, self._settings)
        compiling = asyncio.create_task(self._compile(load))
        try:
            self._model = await load
            await self._run(self._model)
        finally:
            compiling.cancel()
            await asyncio.wait([compiling])  # no process of it is left

    async def _run(self, model: Model) -> None:
        self._meter.turn("idle")
        # Nothing of the model becomes garbage: looking for some in it takes milliseconds.
        gc.collect()
        gc.freeze()
        log.info("model loaded", extra={"model": self._settings.model_id})
        background = [
            asyncio.create_task(job) for job in (self._announce(), self._cancellations.run())
        ]
        await self._work(model)
        for job in background:
            job.cancel()
        with suppress(Exception):
            await self._broker.withdraw(self._settings.worker_id, self._settings.queue)
        if self._sick:
            raise Sick(f"the model failed {len(self._failed)} tasks in a row")

    async def _compile(self, load: asyncio.Future[Model]) -> None:
        if not loading.may_compile(self._settings):
            return

        async def loaded() -> bool:
            await asyncio.wait([load])
            return load.exception() is None and loading.compiles()

        async def between_pictures(compiled: bytes) -> None:
            # Its imports take seconds, in which pictures are drawn.
            module = await asyncio.to_thread(import_module, "worker.compiled")
            loop = asyncio.get_running_loop()
            swap_in = partial(module.swap_in, load.result(), compiled)
            await loop.run_in_executor(self._inference, swap_in)

        await compile_beside(self._settings, loaded, between_pictures)

    @property
    def _sick(self) -> bool:
        return len(self._failed) >= _FAILURES

    async def _work(self, model: Model) -> None:
        """While the pictures of one task are stored, those of the next are drawn."""
        storing: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            if storing and storing.done():
                storing.result()  # what broke it ends this worker
            task = await self._next()
            if task is None:
                continue
            run = Run(task, self._store, self._broker, self._cancellations, self._settings)
            self._meter.turn("drawing")
            processing = asyncio.create_task(self._process(model, run))
            await run.drawn.wait()
            self._meter.turn("idle")
            if storing:
                await storing
            storing = processing
        for last in (storing, self._acknowledging):
            if last:
                await last

    async def _announce(self) -> None:
        while True:
            self._meter.count()
            with suppress(Exception):  # for the queue's view only
                await self._broker.announce(self._settings.worker_id, self._settings.queue)
            await asyncio.sleep(ANNOUNCE_SECONDS)

    async def _next(self) -> Task | None:
        ticket = await self._ticket()
        if self._stopping.is_set():
            return None
        try:
            task = await self._store.claim(self._settings.worker_id)
        except Exception as error:
            log.warning("claim: %r", error)
            await asyncio.sleep(1)
            return None
        if ticket is not None:
            if self._acknowledging:
                await self._acknowledging
            self._acknowledging = asyncio.create_task(self._acknowledge(ticket))
        if task and task.attempt == 1:
            metrics.PICKUP.observe(task.queued_seconds or 0)
            tracing.past("wait in queue", task.queued_seconds or 0, task.trace)
        return task

    async def _acknowledge(self, ticket: Ticket) -> None:
        # An acknowledgement that gets lost makes a ticket too many, no more.
        with suppress(Exception):
            await self._broker.acknowledge(ticket)

    async def _ticket(self) -> Ticket | None:
        """The next ticket; None when it is time to look into the store without one, or to stop."""
        settings = self._settings
        taking = asyncio.ensure_future(
            self._broker.take(settings.worker_id, _POLL_SECONDS, settings.queue)
        )
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not taking.done():
            taking.cancel()
            return None
        try:
            return taking.result()
        except Exception as error:
            log.warning("broker: %r", error)
            await asyncio.sleep(1)
            return None

    async def _process(self, model: Model, run: Run) -> None:
        task = run.task
        with (
            logs.about(**task.subject, attempt=task.attempt),
            tracing.span("draw task", SpanKind.CONSUMER, task.trace, attempt=task.attempt),
        ):
            log.info("task started")
            started = time.monotonic()
            async with run.held():
                status = await self._settle(model, run)
            if status is None:
                metrics.ATTEMPTS.labels("taken_away").inc()
                log.warning("the task was taken away")
                return
            await run.publish(status)
            seconds = time.monotonic() - started
            if status is Status.SUCCEEDED:
                metrics.GENERATION.observe(seconds)
                metrics.COMPLETION.observe((task.queued_seconds or 0) + seconds)
            log.info("task left", extra={"status": status, "seconds": round(seconds, 3)})

    async def _settle(self, model: Model, run: Run) -> Status | None:
        """Makes the pictures and records the outcome; None when it is no longer this worker's."""
        store, claim = self._store, run.claim
        try:
            try:
                done = await self._make_images(model, run)
            except OutOfMemory as error:
                log.warning("out of memory: %s", error)
                message = "The picture does not fit into the GPU's memory."
                # A second GPU may have more of it left; what fits neither fits none.
                again = run.task.error_code != "out_of_memory"
                end = store.retry if again else store.fail
                return await self._end(run, end, "out_of_memory", message)
            except Poisoned as error:
                log.critical("the GPU failed, this process ends: %s", error)
                await store.retry(claim, "gpu_error", "The GPU failed.")
                metrics.ATTEMPTS.labels("gpu_error").inc()
                raise
            except Interrupted:
                raise
            except Missing as error:
                # Where the configuration has just changed, it may come yet.
                return await self._end(run, store.retry, error.code, str(error))
            except FileNotFoundError:
                message = "The picture to draw from has been deleted."
                return await self._end(run, store.fail, "input_gone", message)
            except Exception as error:
                log.exception("attempt failed")
                message = type(error).__name__
                return await self._end(run, store.retry, "generation_failed", message)
            if not done:
                returned = await run.insist(partial(store.hand_back, claim))
                return _counted("handed_back", Status.QUEUED if returned else None)
            succeeded = await run.insist(partial(store.succeed, claim, run.images))
            return _counted("succeeded", Status.SUCCEEDED if succeeded else None)
        except Interrupted:
            return None

    async def _end(self, run: Run, end: End, code: str, message: str) -> Status | None:
        return _counted(code, await run.insist(partial(end, run.claim, code, message)))

    async def _inputs(self, run: Run) -> Inputs:
        """@throws FileNotFoundError"""
        parameters = run.task.parameters
        get = partial(self._input_store.get, key_id=run.task.key_id)
        if parameters.image is None:
            return NO_INPUTS
        image = await run.insist(partial(get, parameters.image))
        mask = await run.insist(partial(get, parameters.mask)) if parameters.mask else None
        return await asyncio.to_thread(fitted, image, mask, parameters)

    def _file(self, picture: Image, parameters: Parameters, n: int) -> bytes:
        file = encode(picture, parameters, n)
        return self._credentials.sign(file, parameters) if self._credentials else file

    async def _make_images(self, model: Model, run: Run) -> bool:
        """False when the worker has to stop before the last picture."""
        loop = asyncio.get_running_loop()
        parameters = run.task.parameters
        run.images += run.task.images
        inputs = await self._inputs(run)
        at_once = batch_size(parameters.width, parameters.height)

        def draw(numbers: range) -> list[Image]:
            stepped = time.monotonic()

            def on_step(step: int) -> None:
                nonlocal stepped
                now = time.monotonic()
                metrics.STEP.observe(now - stepped)
                stepped = now
                run.step_done(numbers.start * parameters.drawn_steps + step * len(numbers))

            return model.generate(parameters, numbers, on_step, run.preview, inputs)

        while (first := len(run.images)) < parameters.num_images:
            if self._stopping.is_set():
                return False
            numbers = range(first, min(first + at_once, parameters.num_images))
            try:
                with tracing.span("draw pictures", pictures=len(numbers)):
                    pictures = await loop.run_in_executor(self._inference, draw, numbers)
            except (Interrupted, Missing):
                raise
            except Exception:
                self._failed.add(run.task.id)
                if self._sick:
                    self.stop()
                raise
            self._failed.clear()
            if numbers.stop == parameters.num_images:
                run.drawn.set()
            for n, picture in zip(numbers, pictures, strict=True):
                data = await asyncio.to_thread(self._file, picture, parameters, n)
                put = partial(self._image_store.put, data, parameters, run.claim, n)
                image = await run.insist(put)
                metrics.PICTURES.labels(parameters.format).inc()
                metrics.PICTURE_BYTES.labels(parameters.format).inc(len(data))
                image.size = picture.size
                image.prompt_tokens = picture.info.get(PROMPT_TOKENS, 0)
                image.flagged = picture.info.get(FLAGGED)
                if image.flagged is not None:
                    metrics.CHECKED.labels("flagged" if image.flagged else "passed").inc()
                run.images.append(image)
            if len(run.images) < parameters.num_images:
                await run.insist(partial(self._store.record, run.claim, run.images))
        return True


def _counted(outcome: str, status: Status | None) -> Status | None:
    """@param status of the task after this attempt; None where it was another's already"""
    if status:
        metrics.ATTEMPTS.labels(outcome).inc()
        tracing.note(outcome=outcome)
    return status
