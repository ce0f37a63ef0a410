"""What a worker does at the same time, and what it never does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tasks.parameters import Parameters
from tasks.pictures import PictureStore
from tasks.redis_queue import RedisQueue
from tasks.settings import Settings
from tasks.store import Claim, TaskStore
from tasks.task import Image
from tests.service import SMALL
from worker.model import Poisoned
from worker.worker import Worker

pytestmark = pytest.mark.stores


class Pictures(PictureStore):
    """Takes pictures at once, and keeps each until the test lets it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.taken: list[UUID] = []
        self.kept = asyncio.Event()

    async def put(self, data: bytes, parameters: Parameters, claim: Claim, n: int) -> Image:
        self.taken.append(claim.task_id)
        await self.kept.wait()
        return await super().put(data, parameters, claim, n)


@contextlib.asynccontextmanager
async def working(
    engine: AsyncEngine, settings: Settings, pictures: Pictures
) -> AsyncIterator[asyncio.Task[None]]:
    assert settings.redis_url is not None
    queue = RedisQueue(settings.redis_url)
    worker = Worker(TaskStore(engine, settings), queue, pictures, settings)
    run = asyncio.create_task(worker.run())
    try:
        yield run
    finally:
        pictures.kept.set()
        worker.stop()
        await asyncio.wait([run])
        await queue.close()


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
