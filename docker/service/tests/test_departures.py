"""Clients that leave before their answer."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.service import SMALL

SLOW = SMALL | {"prompt": "slow 0.1", "steps": 100}
OPENAIS = {"prompt": "slow 0.1", "size": "256x256", "steps": 100}


async def statuses(client: httpx.AsyncClient) -> list[str]:
    tasks = (await client.get("/api/tasks")).json()["tasks"]
    return [task["status"] for task in tasks]


async def leave(client: httpx.AsyncClient, path: str, body: Any, **headers: str) -> None:
    """Sends a request, and goes before its end."""
    before = len(await statuses(client))
    waiting = asyncio.create_task(client.post(path, json=body, headers=headers))
    while len(await statuses(client)) == before:
        await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/generate", SLOW),
        ("/v1/images/generations", OPENAIS),
        ("/v1/images/generations", OPENAIS | {"stream": True}),
    ],
)
async def test_nobody_draws_for_a_client_that_has_left(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    await leave(client, path, body)
    async with asyncio.timeout(30):
        while await statuses(client) != ["cancelled"]:
            await asyncio.sleep(0.1)


async def test_who_can_come_back_finds_the_task(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.departures.GRACE_SECONDS", 0)
    await leave(client, "/api/generate", SLOW, **{"Idempotency-Key": "order-1"})
    await leave(client, "/api/generate", SLOW, Prefer="respond-async, wait=30")
    # Left later than both, and cancelled.
    await leave(client, "/api/generate", SLOW)
    async with asyncio.timeout(30):
        while (await statuses(client))[0] != "cancelled":
            await asyncio.sleep(0.1)
    assert "cancelled" not in (await statuses(client))[1:]


async def test_nothing_asks_the_store_on_for_clients_that_have_left(
    client_without_worker: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_without_worker
    services = client.app.state.services  # type: ignore[attr-defined]
    for n in range(5):
        await leave(client, "/api/generate", SLOW, **{"Idempotency-Key": f"order-{n}"})
    await asyncio.sleep(0.5)
    asked = []
    get = services.store.get

    async def counted(*arguments: Any, **named: Any) -> Any:
        asked.append(arguments)
        return await get(*arguments, **named)

    monkeypatch.setattr(services.store, "get", counted)
    await asyncio.sleep(3)  # each wait asks every two seconds
    assert asked == []
