"""Workers with several models: a task is drawn by one that holds its model."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.settings import Settings
from tasks.parameters import Parameters
from tasks.redis_broker import RedisBroker
from tasks.relay import Relay
from tasks.store import TaskStore
from tests.service import SMALL, serve, worker
from tests.test_api import until_final
from tests.test_store import claim, submit

OTHER = "noop/another"
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"other_models": (OTHER,)})


@pytest.fixture
def of_other(engine: AsyncEngine, settings: Settings) -> TaskStore:
    """As a worker of the other model has it."""
    return TaskStore(engine, settings.model_copy(update={"model_id": OTHER, "named_only": True}))


async def test_a_worker_takes_no_task_of_another_model(
    store: TaskStore, of_other: TaskStore
) -> None:
    unnamed, named = await submit(store), await submit(store, model=OTHER)
    assert (await claim(of_other)).id == named.id
    assert await of_other.claim("worker") is None
    assert (await claim(store)).id == unnamed.id
    assert await store.claim("worker") is None


async def test_workers_without_a_name_of_their_own_still_take_what_names_their_model(
    engine: AsyncEngine, settings: Settings, store: TaskStore
) -> None:
    named = await submit(store, model=OTHER)
    promoted = TaskStore(engine, settings.model_copy(update={"model_id": OTHER}))
    assert (await claim(promoted)).id == named.id


async def test_one_models_flood_keeps_no_key_from_its_turn_at_another(
    store: TaskStore, of_other: TaskStore
) -> None:
    for _ in range(10):
        await submit(store, key_id=1, model=OTHER)
    for _ in range(5):
        await submit(store, key_id=2)
        await claim(store)
    await submit(store, key_id=3, model=OTHER)
    order = [(await claim(of_other)).key_id for _ in range(3)]
    assert 3 in order, order


@pytest.mark.stores
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
class TestService:
    async def test_a_task_is_drawn_by_the_model_that_it_names(
        self, clean: None, settings: Settings
    ) -> None:
        async with serve(settings) as client:
            body = SMALL | {"model": OTHER}
            task = (await client.post("/api/generate", json=body, headers=ASYNC)).json()
            assert task["parameters"]["model"] == OTHER
            async with worker(settings):
                plain = await client.post("/api/generate", json=SMALL)
                assert plain.json()["status"] == "succeeded"
                assert (await self.get(client, task))["status"] == "queued"
            async with worker(of(settings, OTHER)):
                assert (await until_final(client, task["id"]))["status"] == "succeeded"

    async def get(self, client: httpx.AsyncClient, task: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = (await client.get(f"/api/tasks/{task['id']}")).json()
        return found

    async def test_the_models_are_listed_the_default_one_first(
        self, clean: None, settings: Settings
    ) -> None:
        async with serve(settings) as client:
            listed = (await client.get("/v1/models")).json()["data"]
            assert [model["id"] for model in listed] == ["noop", OTHER]
            assert (await client.get(f"/v1/models/{OTHER}")).json() == listed[1]

    async def test_a_model_that_there_is_not_is_refused(
        self, clean: None, settings: Settings
    ) -> None:
        async with serve(settings) as client:
            refused = await client.post("/api/generate", json=SMALL | {"model": "no/such"})
            assert refused.status_code == 422
            assert refused.json()["type"].endswith("model-not-found")

    async def test_openais_clients_get_the_model_that_they_name_or_the_default_one(
        self, clean: None, settings: Settings
    ) -> None:
        async with serve(settings) as client, worker(settings), worker(of(settings, OTHER)):
            for name, model in ((OTHER, OTHER), ("gpt-image-1", None)):
                body = {"prompt": "a cat", "size": "256x256", "model": name}
                answer = await client.post("/v1/images/generations", json=body)
                assert answer.status_code == 200, answer.text
                task = (await client.get(answer.headers["location"])).json()
                assert task["parameters"]["model"] == model

    async def test_a_lost_ticket_is_made_good_in_the_queue_of_its_model(
        self, clean: None, engine: AsyncEngine, settings: Settings
    ) -> None:
        assert settings.redis_url is not None
        store, broker = TaskStore(engine, settings), RedisBroker(settings.redis_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(broker.close)
            for model in (None, OTHER, OTHER):
                await store.submit(Parameters(prompt="x"), key_id=1, request_id="r", model=model)
            await Relay(store, broker, settings).tick()
            assert [await broker.waiting(queue) for queue in (None, OTHER)] == [1, 2]
            ticket = await broker.take("worker", 1, OTHER)
            assert ticket is not None
            await broker.acknowledge(ticket)
            await asyncio.gather(*(broker.waiting(queue) for queue in (None, OTHER)))
            assert [await broker.waiting(queue) for queue in (None, OTHER)] == [1, 1]


def of(settings: Settings, model: str) -> Settings:
    """A worker of this model; it paints as the no-op one does."""
    return settings.model_copy(
        update={"model_id": model, "named_only": True, "worker_id": f"of {model}"}
    )
