"""A lease runs out by its worker's fault alone: never while nobody could have renewed it."""

import asyncio

import pytest

from core.schema import Status
from core.settings import Settings
from tasks.local_broker import LocalBroker
from tasks.parameters import Parameters
from tasks.relay import Relay
from tasks.store import Claim, TaskStore
from tests.service import SMALL

LEASE = 0.5


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": LEASE})


async def test_a_lease_that_nobody_could_renew_is_not_taken(
    clean: None, store: TaskStore, settings: Settings
) -> None:
    relay = Relay(store, LocalBroker(), settings)

    async def look_on_until_it_is_taken() -> None:
        while (await store.get(task.id, key_id=None)).status is Status.RUNNING:  # type: ignore[union-attr]
            await relay.tick()
            await asyncio.sleep(LEASE / 10)

    await store.submit(Parameters(**SMALL), key_id=1, request_id="r")
    task = await store.claim("worker")
    assert task is not None
    claim = Claim(task.id, task.attempt)
    # First a relay that has just begun, then one that the store was away from.
    for _ in range(2):
        await asyncio.sleep(1.2 * LEASE)
        await relay.tick()
        assert await store.renew(claim, 1)
    await asyncio.wait_for(look_on_until_it_is_taken(), 20 * LEASE)
    assert not await store.renew(claim, 1)
