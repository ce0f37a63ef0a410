"""Tickets: what is cut off between two commands may wake a worker in vain, but loses no task."""

import pytest
from uuid_utils.compat import uuid7

from core.coalescer import Coalescer
from core.settings import Settings
from tasks.redis_broker import Command, RedisBroker

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]


async def test_half_an_acknowledgement_hides_no_missing_ticket(
    clean: None, settings: Settings
) -> None:
    assert settings.redis_url is not None
    broker = RedisBroker(settings.redis_url)
    await broker.put([uuid7(), uuid7()])
    ticket = await broker.take("w", 1)
    assert ticket is not None

    async def cut_off(calls: list[list[Command]]) -> list[None]:
        await broker._send_all([commands[:1] for commands in calls])
        return [None] * len(calls)

    broker._send = Coalescer(cut_off)
    await broker.acknowledge(ticket)
    # One waits; the relay puts as many as are missing.
    assert await broker.waiting() <= 1
    await broker.close()
