"""What the operator sees, by the API and in a real browser."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.keys import KeyStore
from core.schema import task_table as t
from core.settings import Settings
from tests.service import SECRET, serve, worker
from tests.test_api import generate, submit, until_final
from tests.test_playground import page  # noqa: F401
from tests.test_playground import pytestmark as needs_chromium

HOURLY = 1.8


@pytest.fixture
async def client(clean: None, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A service with one worker, whose price is known."""
    priced = settings.model_copy(update={"gpu_price": HOURLY})
    async with serve(priced) as client, worker(priced):
        yield client


async def die(client: httpx.AsyncClient, engine: AsyncEngine) -> str:
    """A task that has failed for good, and would succeed now."""
    task = await submit(client)
    await until_final(client, task["id"])
    died = {"status": "failed", "attempts_left": 0, "error_code": "gpu_error", "error": "It broke."}
    async with engine.begin() as connection:
        await connection.execute(update(t).where(t.c.id == UUID(task["id"])).values(**died))
    return str(task["id"])


async def test_only_the_operators_key_opens_it(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    token = await KeyStore(engine).create("somebody", priority=0, images_per_day=None)
    for method, path in (
        ("GET", "/api/operator"),
        ("GET", "/api/operator/today"),
        ("GET", "/api/operator/month"),
        ("POST", f"/api/operator/tasks/{uuid4()}/requeue"),
    ):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.request(method, path, headers=headers)
        assert (
            answer.status_code,
            answer.json()["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1],
        ) == (
            403,
            "operator-only",
        )
        answer = await client.request(method, path, headers={"Authorization": ""})
        assert answer.status_code == 401


async def test_it_sees_what_waits_and_what_each_worker_draws(client: httpx.AsyncClient) -> None:
    running = await submit(client, prompt="slow 0.2", steps=30)
    waiting = await submit(client, prompt="after it")
    while True:
        now = (await client.get("/api/operator")).json()
        if [it["task_id"] for it in now["workers"]] == [running["id"]]:
            break
        await asyncio.sleep(0.05)
    (drawing,) = now["workers"]
    assert (drawing["model"], drawing["total_steps"]) == ("noop", 30)
    assert [(it["model"], it["queued"]) for it in now["waiting"]] == [("noop", 1)]
    await client.delete(f"/api/tasks/{running['id']}")
    assert (await until_final(client, waiting["id"]))["status"] == "succeeded"
    now = (await client.get("/api/operator")).json()
    assert now["waiting"] == []
    assert now["latency"]["p50"] > 0
    assert now["finished_last_minute"] == 2


async def test_it_sees_what_each_key_had_today_and_what_that_cost(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    token = await KeyStore(engine).create("somebody", priority=0, images_per_day=None)
    headers = {"Authorization": f"Bearer {token}"}
    body = {"prompt": "slow 0.1", "width": 256, "height": 256, "steps": 5, "num_images": 2}
    assert (await client.post("/api/generate", json=body, headers=headers)).status_code == 200
    await generate(client)
    today = (await client.get("/api/operator/today")).json()
    assert today["priced"] is True
    keys = {use["key"]: use for use in today["keys"]}
    assert list(keys) == ["somebody", "operator"], "who had most is first"
    assert {key: (use["tasks"], use["pictures"]) for key, use in keys.items()} == {
        "somebody": (1, 2),
        "operator": (1, 1),
    }
    assert keys["somebody"]["seconds"] >= 0.5
    for use in keys.values():
        assert use["cost"] == pytest.approx(use["seconds"] * HOURLY / 3600)


async def test_a_month_has_what_its_days_had(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ended = (first, first - timedelta(seconds=1))
    for finished_at in ended:
        task = await submit(client)
        await until_final(client, task["id"])
        drawn = {"started_at": finished_at - timedelta(seconds=60), "finished_at": finished_at}
        async with engine.begin() as connection:
            await connection.execute(update(t).where(t.c.id == UUID(task["id"])).values(**drawn))
    month = (await client.get("/api/operator/month")).json()
    assert datetime.fromisoformat(month["since"]) == first
    (use,) = month["keys"]
    assert (use["tasks"], round(use["seconds"])) == (1, 60)
    assert use["cost"] == pytest.approx(use["seconds"] * HOURLY / 3600)


async def test_a_dead_task_is_given_fresh_attempts_and_no_other(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    dead = await die(client, engine)
    now = (await client.get("/api/operator")).json()
    assert now["dead"] == 1
    assert [(it["task_id"], it["error_code"]) for it in now["dead_tasks"]] == [(dead, "gpu_error")]
    path = f"/api/operator/tasks/{dead}/requeue"
    assert (await client.post(path)).status_code == 204
    assert (await until_final(client, dead))["status"] == "succeeded"
    assert (await client.post(path)).json()["status"] == 409


@pytest.fixture
async def operators_page(page: Page, client: httpx.AsyncClient) -> Page:
    await page.goto(f"{client.base_url}/operator")
    return page


async def enter(page: Page) -> None:
    await page.get_by_label("Operator's key").fill(SECRET)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Workers")).to_be_visible()


class TestPage:
    pytestmark = needs_chromium

    async def test_shows_what_a_worker_draws_as_it_draws(
        self, operators_page: Page, client: httpx.AsyncClient
    ) -> None:
        await enter(operators_page)
        workers = operators_page.locator("#workers")
        await expect(workers).to_contain_text("idle")
        price = re.compile(r"0\.\d{4}Cost this month")
        await expect(operators_page.locator("#glance")).to_contain_text(price)
        task = await submit(client, prompt="slow 0.3", steps=60)
        await expect(workers).to_contain_text(task["id"])
        await expect(workers).to_contain_text(re.compile(r"[1-9]\d? of 60"))
        await client.delete(f"/api/tasks/{task['id']}")
        await expect(workers).to_contain_text("idle")

    async def test_tries_a_dead_task_again_at_the_press_of_a_button(
        self, operators_page: Page, client: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        dead = await die(client, engine)
        await enter(operators_page)
        rows = operators_page.locator("#dead")
        await expect(rows).to_contain_text(dead)
        await expect(rows).to_contain_text("gpu_error: It broke.")
        await operators_page.get_by_role("button", name="Try again").click()
        await expect(rows).to_have_text("None.")
        assert (await until_final(client, dead))["status"] == "succeeded"

    async def test_refuses_a_key_that_is_not_the_operators(
        self, operators_page: Page, engine: AsyncEngine
    ) -> None:
        token = await KeyStore(engine).create("somebody", priority=0, images_per_day=None)
        await operators_page.get_by_label("Operator's key").fill(token)
        await operators_page.keyboard.press("Enter")
        await expect(operators_page.locator("#key-error")).to_have_text(
            "Only the operator's key opens this."
        )
        await expect(operators_page.locator("#glance")).to_be_hidden()

    async def test_fits_a_phone(self, operators_page: Page) -> None:
        await operators_page.set_viewport_size({"width": 360, "height": 740})
        await enter(operators_page)
        assert await operators_page.evaluate("document.documentElement.scrollWidth") <= 360

    @pytest.mark.skipif("OPERATOR_SCREENSHOT" not in os.environ, reason="writes the docs' picture")
    async def test_screenshot(
        self, operators_page: Page, client: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        keys = KeyStore(engine)
        for name, pictures in (("web-shop", 4), ("newsletter", 2)):
            token = await keys.create(name, priority=0, images_per_day=None)
            body = {"prompt": "slow 0.05", "width": 256, "height": 256, "num_images": pictures}
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/api/generate", json=body, headers=headers)
            assert answer.status_code == 200
        await die(client, engine)
        await submit(client, prompt="slow 0.3", steps=60)
        for _ in range(3):
            await submit(client)
        await enter(operators_page)
        await expect(operators_page.locator("#workers")).to_contain_text(re.compile(r"1\d of 60"))
        picture = Path(os.environ["OPERATOR_SCREENSHOT"])
        await operators_page.screenshot(path=picture, full_page=True)
