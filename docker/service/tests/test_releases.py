"""Rows that code of another release wrote: during a rollout, and after a rollback."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from core.schema import OPERATOR_KEY_ID, seconds_from_now, task_table
from core.settings import Settings
from tests.service import SMALL
from tests.test_api import generate, until_final

NEWER: list[dict[str, Any]] = [
    {"sampler": "ddim", "loras": [{"name": "ink", "weight": 0.5}]},
    {"prompt": "a cat " * 1000, "guidance_scale": 60.0, "num_images": 5},
]
OLDER: dict[str, Any] = {"prompt": "a cat", "seed": 7, "width": 256, "height": 256}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A worker may soon take up again what it failed."""
    return settings.model_copy(update={"lease_seconds": 1, "relay_seconds": 0.1})


async def write(engine: AsyncEngine, parameters: dict[str, Any]) -> UUID:
    """A row as another release's api commits it, with the columns of the first release."""
    task_id: UUID = uuid7()
    values = {
        "id": task_id,
        "key_id": OPERATOR_KEY_ID,
        "request_id": "request",
        "parameters": parameters,
        "status": "queued",
        "priority": 0,
        "rank": 0,
        "attempt": 0,
        "attempts_left": 3,
        "step": 0,
        "created_at": seconds_from_now(0),
        "deadline_at": seconds_from_now(900),
    }
    async with engine.begin() as connection:
        await connection.execute(insert(task_table).values(values))
    return task_id


@pytest.mark.parametrize("parameters", [*(SMALL | newer for newer in NEWER), OLDER])
async def test_a_row_of_another_release_becomes_a_picture(
    client: httpx.AsyncClient, engine: AsyncEngine, parameters: dict[str, Any]
) -> None:
    task = await until_final(client, str(await write(engine, parameters)))
    assert task["status"] == "succeeded", task["error"]
    picture = await client.get(task["images"][-1]["url"])
    assert picture.headers["content-type"] == "image/png"
    listed = (await client.get("/api/tasks")).json()["tasks"]
    assert listed[0]["parameters"]["prompt"] == parameters["prompt"]


async def test_a_picture_of_a_release_that_enlarged_none_is_as_large_as_it_drew_it(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    task = (await generate(client)).json()
    async with engine.begin() as connection:
        row = (await connection.execute(select(task_table))).mappings().one()
        images = [{k: v for k, v in image.items() if k != "size"} for image in row["images"]]
        parameters = row["parameters"] | {"upscale": 2}
        await connection.execute(update(task_table).values(images=images, parameters=parameters))
    (image,) = (await client.get(f"/api/tasks/{task['id']}")).json()["images"]
    assert (image["width"], image["height"]) == (256, 256)


async def test_what_is_to_be_enlarged_where_no_worker_can_fails_by_its_own_error(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    """Accepted before the upscaler was taken away."""
    ids = [str(await write(engine, SMALL | {"upscale": 2})) for _ in range(3)]
    for task_id in ids:
        task = await until_final(client, task_id)
        assert (task["status"], task["images"]) == ("failed", [])
        assert task["error"]["code"] == "upscaler_missing"
    assert (await generate(client)).status_code == 200


async def test_a_row_that_cannot_be_drawn_fails_alone_and_by_its_own_error(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    task_id = str(await write(engine, SMALL | {"format": "avif"}))
    task = await until_final(client, task_id)
    assert (task["status"], task["error"]["code"]) == ("failed", "generation_failed")
    assert (await client.get("/api/tasks")).json()["tasks"][0]["id"] == task_id
    assert (await generate(client)).status_code == 200
