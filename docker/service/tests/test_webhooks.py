"""Webhooks: who is told, how often, by what signature, and where nothing is ever sent."""

import asyncio
import base64
import json
import os
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook
from uuid_utils.compat import uuid7

from api.courier import DELAYS
from api.guarded_client import GuardedClient, Refused, is_public
from api.webhooks import Messenger
from core.database import create_engine
from core.keys import KeyStore
from core.settings import Settings
from tasks.parameters import Parameters
from tasks.store import TaskStore
from tasks.webhooks import Webhook as Told
from tasks.webhooks import WebhookStore
from tests.receiver import receiver
from tests.service import SMALL, serve
from tests.test_api import generate, submit, until_final

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LOOPBACK = (ip_network("127.0.0.0/8"),)
MANY = int(os.environ.get("WEBHOOKS", "300"))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "webhook_secret": SecretStr(KEY),
            "private_networks": LOOPBACK,
            "relay_seconds": 0.05,
        }
    )


@asynccontextmanager
async def telling(
    settings: Settings, delays: Sequence[float] = (0.01,) * 12, n: int = 1
) -> AsyncIterator[None]:
    """So many processes tell, each with connections of its own."""
    engines = [create_engine(settings) for _ in range(n)]
    jobs = [
        asyncio.create_task(
            Messenger(WebhookStore(own), TaskStore(own, settings), settings, delays).run()
        )
        for own in engines
    ]
    try:
        yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.wait(jobs)
        for own in engines:
            await own.dispose()


async def ended(engine: AsyncEngine, settings: Settings, url: str) -> UUID:
    """A task that is over, and is to be told of there."""
    task_id: UUID = uuid7()
    await WebhookStore(engine).expect(task_id, url)
    store = TaskStore(engine, settings)
    await store.submit(
        Parameters(**SMALL), key_id=1, request_id="r", model=settings.model_id, task_id=task_id
    )
    await store.cancel(task_id, key_id=1)
    return task_id


async def until_told(engine: AsyncEngine, task_id: UUID) -> Told:
    while True:
        told = await WebhookStore(engine).get(task_id)
        assert told is not None
        if told.delivered_at or told.due_at is None:
            return told
        await asyncio.sleep(0.02)


async def test_who_asked_for_it_is_told_what_the_task_came_to_by_a_valid_signature(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    async with receiver() as it:
        for more, status in (({}, "succeeded"), ({"prompt": "out of memory"}, "failed")):
            it.taken.clear()
            await generate(client, webhook=f"{it.url}/", **more)
            while not it.taken:
                await asyncio.sleep(0.02)
            ((headers, body),) = it.taken
            told = Webhook(KEY).verify(body, headers)
            assert told["type"] == f"task.{status}"
            task = (await client.get(f"/api/tasks/{told['data']['id']}")).json()
            assert told["data"] == task
            # The receiver knows of it before the log does.
            assert (await until_told(engine, UUID(task["id"]))).delivered_at
            log = (await client.get(f"/api/tasks/{task['id']}/webhook")).json()
            assert [attempt["outcome"] for attempt in log["attempts"]] == ["204"]
            assert log["delivered_at"]


async def test_a_key_may_have_one_for_its_tasks_that_name_none(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    async with receiver() as it:
        token = await KeyStore(engine).create(
            "alice", priority=0, images_per_day=None, webhook=f"{it.url}/of-alice"
        )
        of_alice = {"Authorization": f"Bearer {token}"}
        answers = [
            await client.post("/api/generate", json=SMALL | more, headers=of_alice)
            for more in ({}, {"webhook": f"{it.url}/own"}, {"webhook": None})
        ]
        await generate(client)  # by another key
        named = [answer.json()["parameters"]["webhook"] for answer in answers]
        assert named == [f"{it.url}/of-alice", f"{it.url}/own", f"{it.url}/of-alice"]
        while len(it.taken) < 3:
            await asyncio.sleep(0.02)
        told = {json.loads(body)["data"]["id"] for _, body in it.taken}
        assert told == {answer.json()["id"] for answer in answers}


async def test_a_keys_own_is_left_aside_where_there_are_none(
    clean: None, engine: AsyncEngine, settings: Settings
) -> None:
    url = "https://example.com/"
    token = await KeyStore(engine).create("alice", priority=0, images_per_day=None, webhook=url)
    off = settings.model_copy(update={"webhook_secret": None})
    async with serve(off) as client:
        answer = await client.post(
            "/api/generate",
            json=SMALL,
            headers={"Authorization": f"Bearer {token}", "Prefer": "respond-async"},
        )
        assert answer.status_code == 202
        assert answer.json()["parameters"]["webhook"] is None


async def test_a_cancelled_task_is_told_once_and_one_without_a_webhook_never(
    client: httpx.AsyncClient,
) -> None:
    async with receiver() as it:
        task = await submit(client, webhook=f"{it.url}/", prompt="slow 0.1", steps=100)
        quiet = await submit(client)
        await client.delete(f"/api/tasks/{task['id']}")
        await until_final(client, quiet["id"])
        await asyncio.sleep(0.5)
        assert [json.loads(body)["type"] for _, body in it.taken] == ["task.cancelled"]
        assert (await client.get(f"/api/tasks/{quiet['id']}/webhook")).status_code == 404


@pytest.mark.timeout(max(600, MANY // 4))
@pytest.mark.stores
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_none_is_lost_nor_told_in_two_ways_though_three_in_ten_attempts_fail(
    engine: AsyncEngine, settings: Settings
) -> None:
    random.seed(35)
    async with receiver(random.Random(35)) as it:
        ids = [await ended(engine, settings, f"{it.url}/flaky") for _ in range(MANY)]
        # In the middle of it, all that tell are cut off, as by a rollout.
        async with telling(settings, n=2):
            while len(it.taken) < MANY // 3:
                await asyncio.sleep(0.01)
        outbox = WebhookStore(engine)
        untold = [
            id_ for id_ in ids if not (told := await outbox.get(id_)) or not told.delivered_at
        ]
        assert untold
        await outbox.retry(untold)  # else some wait for the lease of who was cut off
        async with telling(settings, n=2):
            for task_id in ids:
                assert (await until_told(engine, task_id)).delivered_at
    bodies: dict[str, set[bytes]] = {}
    for headers, body in it.taken:
        bodies.setdefault(headers["webhook-id"], set()).add(body)
    assert set(bodies) == {f"{task_id}-cancelled" for task_id in ids}
    assert {len(each) for each in bodies.values()} == {1}
    twice = Counter(headers["webhook-id"] for headers, _ in it.taken)
    print(f"{len(ids)} webhooks, {it.asked} attempts, {sum(twice.values()) - len(twice)} twice")


async def test_it_has_an_end_and_an_operator_begins_again(
    engine: AsyncEngine, settings: Settings
) -> None:
    async with receiver() as it, telling(settings, delays=(0.01, 0.01)):
        task_id = await ended(engine, settings, f"{it.url}/500")
        told = await until_told(engine, task_id)
        assert [attempt.outcome for attempt in told.attempts] == ["500"] * 3
        assert await WebhookStore(engine).retry([]) == 1
        while (told := await until_told(engine, task_id)) and len(told.attempts) < 6:
            await asyncio.sleep(0.02)
        assert told.delivered_at is None


@pytest.mark.parametrize(
    ("path", "outcome"), [("410", "410"), ("redirect", "307")], ids=["gone", "redirect"]
)
async def test_gone_is_the_end_and_no_redirect_is_followed(
    engine: AsyncEngine, settings: Settings, path: str, outcome: str
) -> None:
    async with receiver() as it, telling(settings, delays=()):
        told = await until_told(engine, await ended(engine, settings, f"{it.url}/{path}"))
        assert (told.delivered_at, [it.outcome for it in told.attempts]) == (None, [outcome])
        assert it.asked == 1


HOSTILE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://10.96.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "http://93.184.216.34/",
]


@pytest.mark.parametrize("url", HOSTILE)
async def test_nothing_is_sent_where_only_the_service_could_send_it(url: str) -> None:
    client = GuardedClient(())
    try:
        with pytest.raises(Refused):
            await client.send("POST", url, {}, b"", seconds=5)
    finally:
        await client.close()


async def test_a_name_is_looked_up_once_and_judged_by_all_its_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("93.184.216.34", "169.254.169.254")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    client = GuardedClient(())
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        await client.send("POST", "https://rebinding.example/", {}, b"", seconds=5)
    await client.close()
    assert asked == ["rebinding.example"]


def test_public_addresses_are_public() -> None:
    for address in ("93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"):
        assert is_public(ip_address(address)), address


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:password@example.com/",
        "https://example.com/#fragment",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://[::1/",
        "https://example.com/" + "x" * 2000,
        "https://example.com/\r\nHost: other",
    ],
)
async def test_what_is_no_address_is_refused_at_once(client: httpx.AsyncClient, url: str) -> None:
    answer = await generate(client, webhook=url)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "webhook"


async def test_without_a_secret_there_are_none(clean: None, settings: Settings) -> None:
    async with serve(settings.model_copy(update={"webhook_secret": None})) as client:
        answer = await generate(client, webhook="https://example.com/")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "webhooks_off"


def test_the_attempts_last_for_a_day_and_then_end() -> None:
    assert 24 * 3600 < sum(DELAYS) * 0.8 + 3600 * 6 < 48 * 3600
    assert list(DELAYS) == sorted(DELAYS)
