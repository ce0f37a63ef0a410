"""Numbers that are true, and what is deleted is gone."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.settings import Settings
from tests.service import SMALL
from tests.test_api import submit, until_final


async def test_step_moves_for_those_who_poll_and_is_final_at_the_end(
    client: httpx.AsyncClient,
) -> None:
    task = await submit(client, prompt="slow 0.1", steps=10, num_images=2)
    assert task["total_steps"] == 20
    seen = set()
    while True:
        polled = (await client.get(f"/api/tasks/{task['id']}")).json()
        if polled["status"] == "succeeded":
            break
        seen.add(polled["step"])
        (listed,) = (await client.get("/api/tasks")).json()["tasks"]
        assert listed["step"] >= polled["step"]
        await asyncio.sleep(0.05)
    # A heartbeat, which the record has its step from, comes every 5 s.
    assert len(seen) > 5
    assert polled["step"] == polled["total_steps"] == 20


async def test_tasks_are_listed_by_status(client_without_worker: httpx.AsyncClient) -> None:
    client = client_without_worker
    waiting = [(await submit(client))["id"] for _ in range(3)]
    cancelled = (await submit(client))["id"]
    await client.delete(f"/api/tasks/{cancelled}")

    async def listed(**query: Any) -> list[str]:
        page = (await client.get("/api/tasks", params=query)).json()
        return [task["id"] for task in page["tasks"]]

    assert await listed(status="queued") == waiting[::-1]
    assert await listed(status="cancelled") == [cancelled]
    assert await listed(status="failed") == []
    first = (await client.get("/api/tasks", params={"status": "queued", "limit": 2})).json()
    rest = await listed(status="queued", before=first["next"])
    assert [task["id"] for task in first["tasks"]] + rest == waiting[::-1]
    assert (await client.get("/api/tasks", params={"status": "done"})).status_code == 422


async def test_a_deleted_task_leaves_neither_pictures_nor_prompt(
    client: httpx.AsyncClient, settings: Settings, engine: AsyncEngine
) -> None:
    secret = SMALL | {"prompt": "a secret lighthouse", "negative_prompt": "a secret boat"}
    order = {"Idempotency-Key": "order-1"}
    made = (await client.post("/api/generate", json=secret, headers=order)).json()
    url = made["images"][0]["url"]
    assert (await client.get(url)).status_code == 200
    other = (await client.post("/api/generate", json=SMALL)).json()

    for _ in range(2):
        gone = (await client.delete(f"/api/tasks/{made['id']}")).json()
        assert (gone["id"], gone["status"], gone["images"]) == (made["id"], "succeeded", [])
    assert (await client.get(url)).status_code == 404
    files = {path.relative_to(settings.data_dir).parts[1] for path in pictures(settings)}
    assert files == {other["id"]}
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM tasks"))).all()
    assert "secret" not in str(rows)
    assert "secret" not in (await client.get("/api/tasks")).text
    # The same order again is a new one.
    again = await client.post("/api/generate", json=secret, headers=order)
    assert again.status_code == 200
    assert again.json()["id"] != made["id"]


def pictures(settings: Settings) -> list[Path]:
    return [path for path in settings.data_dir.glob("outputs/**/*") if path.is_file()]


async def test_deleting_a_task_that_runs_cancels_it(client: httpx.AsyncClient) -> None:
    task = await submit(client, prompt="slow 0.1", steps=100)
    assert (await client.delete(f"/api/tasks/{task['id']}")).json()["status"] == "cancelled"
    final = await until_final(client, task["id"])
    assert (final["status"], final["parameters"]["prompt"]) == ("cancelled", "slow 0.1")


async def test_a_deleted_task_still_counts_for_the_quota(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    from tests.test_keys import bearer, make_key

    headers = bearer(await make_key(engine, quota=1))
    made = (await client.post("/api/generate", json=SMALL, headers=headers)).json()
    await client.delete(f"/api/tasks/{made['id']}", headers=headers)
    assert (await client.post("/api/generate", json=SMALL, headers=headers)).status_code == 429


@pytest.mark.parametrize("field", ["seed", "negative_prompt"])
async def test_null_stands_for_the_default(client: httpx.AsyncClient, field: str) -> None:
    made = (await client.post("/api/generate", json=SMALL | {field: None})).json()
    assert made["status"] == "succeeded"
    assert made["parameters"][field] is not None
