"""Who may ask, how often, and what they see of each other."""

import asyncio
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api import keyring
from api.keyring import KeyRing
from core.keys import KeyStore
from core.settings import Settings
from tests.command_line import command_line
from tests.service import SECRET, SMALL, serve, worker


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def make_key(engine: AsyncEngine, name: str = "alice", quota: int | None = None) -> str:
    return await KeyStore(engine).create(name, priority=0, images_per_day=quota)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic abc", f"bearer{SECRET}", f"Bearer {SECRET}x"]
)
@pytest.mark.parametrize("path", ["/api/tasks", "/api/queue"])
async def test_without_a_valid_key_nothing_is_told(
    client: httpx.AsyncClient, header: str, path: str
) -> None:
    response = await client.get(path, headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_named_key_works_and_is_stored_as_a_hash(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    token = await make_key(engine)
    response = await client.post("/api/generate", json=SMALL, headers=bearer(token))
    assert response.status_code == 200
    async with engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM keys")).all()
    assert token not in str(rows)


async def test_a_key_never_sees_anothers_task(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    alice, bob = await make_key(engine, "alice"), await make_key(engine, "bob")
    task = (await client.post("/api/generate", json=SMALL, headers=bearer(alice))).json()
    for token in (bob, SECRET):
        for method, path in [
            ("GET", f"/api/tasks/{task['id']}"),
            ("DELETE", f"/api/tasks/{task['id']}"),
            ("GET", f"/api/tasks/{task['id']}/events"),
            ("GET", task["images"][0]["url"]),
        ]:
            assert (await client.request(method, path, headers=bearer(token))).status_code == 404
        listed = (await client.get("/api/tasks", headers=bearer(token))).json()
        assert listed["tasks"] == []


async def test_a_revoked_key_is_refused(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    assert keyring._CACHE_SECONDS <= 60
    token = await make_key(engine)
    assert await KeyStore(engine).revoke("alice")
    assert (await client.get("/api/tasks", headers=bearer(token))).status_code == 401


async def test_junk_tokens_reach_the_store_no_oftener_than_one_does(
    engine: AsyncEngine, settings: Settings
) -> None:
    asked: list[str] = []
    event.listen(
        engine.sync_engine, "before_cursor_execute", lambda *context: asked.append(context[2])
    )
    ring = KeyRing(settings, KeyStore(engine))
    assert await asyncio.gather(*(ring.owner(f"sk-{n}") for n in range(100))) == [None] * 100
    assert len(asked) <= 2
    token = await make_key(engine)
    alice = await ring.owner(token)  # at once: a new key is asked for like junk
    assert alice is not None
    asked.clear()
    assert await asyncio.gather(*(ring.owner(token) for _ in range(100))) == [alice] * 100
    assert asked == []


async def test_a_quota_bounds_the_pictures_of_a_day(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    headers = bearer(await make_key(engine, quota=3))
    two = SMALL | {"num_images": 2}
    assert (await client.post("/api/generate", json=two, headers=headers)).status_code == 200
    refused = await client.post("/api/generate", json=two, headers=headers)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:problem:quota-exceeded"
    assert (await client.post("/api/generate", json=SMALL, headers=headers)).status_code == 200


@pytest.mark.stores
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_a_quota_is_exact_over_all_replicas(
    clean: None, settings: Settings, engine: AsyncEngine
) -> None:
    settings = settings.model_copy(update={"queue_limit": 10_000})
    async with serve(settings) as one, serve(settings) as two:
        for trial in range(10):
            token = await make_key(engine, f"client-{trial}", quota=5)
            headers = bearer(token) | {"Prefer": "respond-async"}
            answers = await asyncio.gather(
                *(
                    (one, two)[n % 2].post("/api/generate", json=SMALL, headers=headers)
                    for n in range(20)
                )
            )
            codes = sorted(answer.status_code for answer in answers)
            assert codes == [202] * 5 + [429] * 15, f"trial {trial}"


def test_the_command_line_makes_lists_and_revokes_keys(tmp_path: Path) -> None:
    tasks = command_line(tmp_path)
    assert tasks("migrate").returncode == 0
    token = tasks("keys", "create", "alice", "--images-per-day", "5").stdout.strip()
    assert token.startswith("sk-")
    assert tasks("keys", "create", "alice").returncode == 1
    listed = tasks("keys", "list").stdout
    assert "alice\tpriority 0\t5 images a day\tactive" in listed
    assert token not in listed
    url = "https://app.example.com/pictures"
    assert tasks("keys", "create", "bob", "--webhook", url).returncode == 0
    assert f"bob\tpriority 0\tno quota\twebhook {url}\tactive" in tasks("keys", "list").stdout
    assert tasks("keys", "create", "carol", "--webhook", "ftp://example.com").returncode == 2
    assert tasks("keys", "revoke", "alice").returncode == 0
    assert tasks("keys", "revoke", "alice").returncode == 1
    assert tasks("requeue").stdout == "0 tasks queued again, 0 left dead.\n"


@pytest.mark.stores
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_the_eleventh_request_is_refused_by_every_replica(
    clean: None, settings: Settings
) -> None:
    settings = settings.model_copy(
        update={
            "rate_limit": "10/minute",
            "queue_limit": 10_000,
            "trusted_proxies": (ip_network("127.0.0.0/8"),),
        }
    )
    async with serve(settings) as one, serve(settings) as two, worker(settings):
        for trial in range(100):
            headers = {"X-Real-IP": f"203.0.113.{trial}", "Prefer": "respond-async"}
            answers = await asyncio.gather(
                *(
                    (one, two)[n % 2].post("/api/generate", json=SMALL, headers=headers)
                    for n in range(11)
                )
            )
            codes = sorted(answer.status_code for answer in answers)
            assert codes == [202] * 10 + [429], f"trial {trial}"
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.headers["ratelimit-remaining"] == "0"
            assert refused.headers["ratelimit-limit"] == "10"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_spoofed_headers_never_change_the_limit(clean: None, settings: Settings) -> None:
    settings = settings.model_copy(update={"rate_limit": "1/minute"})
    async with serve(settings) as client:
        names = ("X-Real-IP", "X-Forwarded-For", "CF-Connecting-IP", "Forwarded")
        spoofed = [
            await client.post(
                "/api/generate", json=SMALL, headers=dict.fromkeys(names, f"203.0.113.{n}")
            )
            for n in range(3)
        ]
    assert [response.status_code for response in spoofed] == [200, 429, 429]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_refused_requests_cost_nothing(clean: None, settings: Settings) -> None:
    settings = settings.model_copy(update={"rate_limit": "1/minute"})
    async with serve(settings) as client:
        nobody = await client.post("/api/generate", json=SMALL, headers=bearer("wrong"))
        assert nobody.status_code == 401
        assert (await client.post("/api/generate", json=SMALL)).status_code == 200
