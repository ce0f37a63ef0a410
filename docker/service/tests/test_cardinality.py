"""How many series a run of tasks makes, in the api and in workers as they are deployed."""

import asyncio
import os
import random
import uuid
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.keys import KeyStore
from core.settings import Settings
from tasks.store import TaskStore
from tests.service import serve
from tests.test_metrics import Sample, samples, scrape, worker_process

TASKS = int(os.environ.get("CARDINALITY_TASKS", "200"))
"""Of each half."""
MOST = 2_000
"""Series that a run may add."""
AT_ONCE = 16
KEYS = 20
MODELS = ("noop", "noop/another")

pytestmark = pytest.mark.stores


async def send(client: httpx.AsyncClient, tokens: list[str], choose: random.Random) -> None:
    """One task with all that a client may choose, and what it asks besides."""
    headers = {
        "Authorization": f"Bearer {choose.choice(tokens)}",
        "Prefer": "respond-async",
        "X-Request-Id": uuid.uuid4().hex,
        "X-Real-IP": f"10.{choose.randrange(256)}.{choose.randrange(256)}.1",
        "User-Agent": f"client/{choose.random()}",
        "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
    }
    body = {
        "prompt": f"a cat {uuid.uuid4()}",
        "model": choose.choice(MODELS),
        "width": 64 * choose.randrange(4, 7),
        "height": 64 * choose.randrange(4, 7),
        "steps": choose.randrange(1, 4),
        "seed": choose.randrange(2**31),
        "format": choose.choice(("png", "jpeg", "webp")),
        "guidance_scale": choose.randrange(1, 15),
    }
    accepted = await client.post("/api/generate", json=body, headers=headers)
    assert accepted.status_code == 202, accepted.text
    task = accepted.json()["id"]
    others = (
        ("GET", f"/api/tasks/{task}"),
        ("HEAD", f"/api/tasks/{task}?{choose.random()}"),
        ("GET", f"/{uuid.uuid4()}/{choose.random()}"),
        (f"ODD{choose.randrange(10**9)}", f"/api/tasks/{task}"),
        ("POST", f"/api/tasks/{uuid.uuid4()}"),
        ("GET", f"/api/tasks?limit={choose.randrange(1, 50)}"),
    )
    method, path = choose.choice(others)
    await client.request(method, path, headers=headers)
    if choose.randrange(10) == 0:
        unknown = body | {"model": f"owner/{uuid.uuid4()}"}
        refused = await client.post("/api/generate", json=unknown, headers=headers)
        assert refused.status_code == 422


async def half(client: httpx.AsyncClient, store: TaskStore, keys: KeyStore, seed: int) -> None:
    """Of the run: TASKS of keys of its own, until the last is final."""
    choose = random.Random(seed)
    tokens = [
        await keys.create(f"key-{seed}-{n}", priority=0, images_per_day=None) for n in range(KEYS)
    ]
    left = iter(range(TASKS))

    async def sender() -> None:
        for _ in left:
            await send(client, tokens, choose)

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    while await store.unfinished():
        await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_ten_thousand_tasks_add_at_most_two_thousand_series(
    clean: None, settings: Settings, engine: AsyncEngine, store: TaskStore
) -> None:
    """A second half that differs from the first in all that has no bounds adds nothing, so that any
    number of tasks adds what the first did; CARDINALITY_TASKS=5000 sends all of them."""
    if settings.standalone:
        pytest.skip("there are no workers of their own")
    settings = settings.model_copy(update={"other_models": MODELS[1:], "queue_limit": 10**6})
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(serve(settings))
        workers = [
            await stack.enter_async_context(
                worker_process(
                    settings.model_copy(update={"model_id": model, "named_only": bool(at)})
                )
            )
            for at, model in enumerate(MODELS)
        ]

        async def series() -> set[tuple[int, Sample]]:
            exposed = await asyncio.gather(*map(scrape, [client, *workers]))
            return {(at, one) for at, page in enumerate(exposed) for one in samples(page)}

        await answered(workers)
        before = await series()
        await half(client, store, KeyStore(engine), 1)
        first = await series()
        await half(client, store, KeyStore(engine), 2)
        second = await series()
    assert len(first - before) <= MOST
    assert second == first


async def answered(workers: list[httpx.AsyncClient]) -> None:
    for worker in workers:
        async with asyncio.timeout(60):
            while True:
                try:
                    await scrape(worker)
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
