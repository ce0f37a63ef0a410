"""What a worker does at the same time, and what it never does."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import task_table
from core.settings import Settings
from tasks.images import ImageStore
from tasks.parameters import Parameters
from tasks.redis_broker import RedisBroker
from tasks.store import Claim, TaskStore
from tasks.task import StoredImage
from tests.service import SMALL
from tests.stores import free_port
from worker.model import Poisoned, Sick
from worker.worker import Worker

pytestmark = pytest.mark.stores


class Pictures(ImageStore):
    """Takes pictures at once, and keeps each until the test lets it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.taken: list[UUID] = []
        self.kept = asyncio.Event()

    async def put(self, data: bytes, parameters: Parameters, claim: Claim, n: int) -> StoredImage:
        self.taken.append(claim.task_id)
        await self.kept.wait()
        return await super().put(data, parameters, claim, n)


@contextlib.asynccontextmanager
async def working(
    engine: AsyncEngine, settings: Settings, pictures: Pictures
) -> AsyncIterator[asyncio.Task[None]]:
    assert settings.redis_url is not None
    broker = RedisBroker(settings.redis_url)
    worker = Worker(TaskStore(engine, settings), broker, pictures, settings)
    run = asyncio.create_task(worker.run())
    try:
        yield run
    finally:
        pictures.kept.set()
        worker.stop()
        await asyncio.wait([run])
        await broker.close()


async def submit(client: httpx.AsyncClient, *prompts: str) -> list[UUID]:
    answers = [
        await client.post(
            "/api/generate", json=SMALL | {"prompt": prompt}, headers={"Prefer": "respond-async"}
        )
        for prompt in prompts
    ]
    return [UUID(answer.json()["id"]) for answer in answers]


async def statuses(client: httpx.AsyncClient, ids: list[UUID]) -> list[str]:
    return [(await client.get(f"/api/tasks/{id_}")).json()["status"] for id_ in ids]


async def attempts(engine: AsyncEngine, ids: list[UUID]) -> list[int]:
    """How many attempts each task has left."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(task_table.c.id, task_table.c.attempts_left))
    left = {row.id: row.attempts_left for row in rows}
    return [left[id_] for id_ in ids]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_next_task_is_drawn_while_one_is_stored_and_no_third_is_taken(
    client_without_worker: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client, pictures = client_without_worker, Pictures(settings)
    ids = await submit(client, "a cat", "a dog", "a bird")
    async with working(engine, settings, pictures):
        await eventually(lambda: len(pictures.taken) == 2)
        await asyncio.sleep(0.2)
        assert pictures.taken == ids[:2]
        assert await statuses(client, ids) == ["running", "running", "queued"]
        pictures.kept.set()
        await eventually(lambda: len(pictures.taken) == 3)
    assert await statuses(client, ids) == ["succeeded"] * 3


async def test_a_gpu_that_breaks_ends_the_worker_after_the_picture_before_is_stored(
    client_without_worker: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client, pictures = client_without_worker, Pictures(settings)
    ids = await submit(client, "a cat", "poison", "a bird")
    async with working(engine, settings, pictures) as run:
        await eventually(lambda: len(pictures.taken) == 1)
        await asyncio.sleep(0.3)  # meanwhile the GPU breaks
        assert not run.done()
        pictures.kept.set()
        await asyncio.wait([run], timeout=10)
        assert run.done()
    assert isinstance(run.exception(), Poisoned)
    assert await statuses(client, ids) == ["succeeded", "queued", "queued"]


async def test_a_worker_whose_model_fails_task_after_task_ends_and_harms_no_more(
    client_without_worker: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client, pictures = client_without_worker, Pictures(settings)
    pictures.kept.set()
    ids = await submit(client, *(f"fail {n}" for n in range(5)))
    async with working(engine, settings, pictures) as run:
        await asyncio.wait([run], timeout=10)
        assert run.done()
    assert isinstance(run.exception(), Sick)
    assert await statuses(client, ids) == ["queued"] * 5
    assert await attempts(engine, ids) == [2, 2, 2, 3, 3]


async def test_tasks_that_fail_between_others_end_no_worker(
    client_without_worker: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client, pictures = client_without_worker, Pictures(settings)
    pictures.kept.set()
    ids = await submit(client, *(f"{prompt} {n}" for n in range(4) for prompt in ("fail", "cat")))
    async with working(engine, settings, pictures) as run:
        await eventually(lambda: len(pictures.taken) == 4)
        assert not run.done()
    assert await statuses(client, ids) == ["queued", "succeeded"] * 4


async def test_what_does_not_fit_into_one_gpu_is_tried_on_another(
    client_without_worker: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    client, pictures = client_without_worker, Pictures(settings)
    (id_,) = await submit(client, "out of memory")
    for name, status in (("worker-1", "queued"), ("worker-2", "failed")):
        async with working(engine, settings.model_copy(update={"worker_id": name}), pictures):
            async with asyncio.timeout(20):
                while await attempts(engine, [id_]) == [3] or await statuses(client, [id_]) != [
                    status
                ]:
                    await asyncio.sleep(0.05)
    task = (await client.get(f"/api/tasks/{id_}")).json()
    assert task["error"]["code"] == "out_of_memory"


SLOW_START = """
import runpy, time, worker.loading
worker.loading.may_compile = lambda settings: True
worker.loading.load = lambda settings: print("loading", flush=True) or time.sleep(60)
runpy.run_module("worker", run_name="__main__")
"""


async def test_a_worker_that_still_loads_its_model_ends_when_it_is_told_to(
    clean: None, settings: Settings
) -> None:
    if settings.standalone:
        pytest.skip("standalone mode has no worker process")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SLOW_START),
        cwd=Path(__file__).parents[1],
        env=os.environ
        | {
            "DATABASE_URL": str(settings.database_url),
            "REDIS_URL": str(settings.redis_url),
            "METRICS_PORT": str(free_port()),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
