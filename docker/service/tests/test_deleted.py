"""Pictures that went away after their task was done, and stores that go away during an answer."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import asyncpg
import httpx
import openai
import pytest
import redis.exceptions
from obstore.exceptions import GenericError, InvalidPathError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.outages import is_outage
from core.settings import Settings
from tasks.images import ImageStore
from tests import stores
from tests.service import SECRET, SMALL, on, serve, worker
from tests.test_api import events, generate, submit

SIZE = {"prompt": "a cat", "size": "256x256", "response_format": "b64_json"}


async def test_a_picture_that_a_lifecycle_rule_deleted_is_gone(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    url = (await generate(client)).json()["images"][0]["url"]
    etag = (await client.get(url)).headers["etag"]
    for path, body, accept in (
        ("/api/generate", SMALL, "image/png"),
        ("/v1/images/generations", SIZE, "*/*"),
    ):
        headers = {"Idempotency-Key": path, "Accept": accept}
        assert (await client.post(path, json=body, headers=headers)).status_code == 200
        shutil.rmtree(settings.data_dir / "outputs")
        gone = await client.post(path, json=body, headers=headers)
        assert (gone.status_code, "retry-after" in gone.headers) == (410, False)
        assert gone.headers["x-task-id"]
    for conditions in ({}, {"If-None-Match": etag}):
        assert (await client.get(url, headers=conditions)).status_code == 410


async def test_a_stream_whose_picture_breaks_off_ends_in_an_error(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever deletes the file does it between two pieces.
    pieces = ImageStore.pieces

    async def cut(self, image, size):  # type: ignore[no-untyped-def]
        async for piece in pieces(self, image, size):
            yield piece
            await self.delete(image.object_key.split("/")[1])
            async for more in pieces(self, image, size):
                yield more

    monkeypatch.setattr(ImageStore, "pieces", cut)
    url = f"{client.base_url}/v1"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=url, max_retries=0) as its:
        stream = await its.images.generate(prompt="a cat", size="256x256", stream=True)
        with pytest.raises(openai.APIError, match="in the service") as error:
            [event async for event in stream]
    assert error.value.type == "server_error"


@pytest.mark.stores
async def test_a_database_that_restarts_ends_no_stream(
    servers_directory: Path, tmp_path: Path, redis_url: str
) -> None:
    with stores.postgres(servers_directory / "during-a-stream") as (postgres, database_url):
        settings = await on(database_url, redis_url, tmp_path)
        async with serve(settings) as client:
            task = await submit(client)
            following = asyncio.create_task(events(client, task["id"]))
            await asyncio.sleep(1)
            postgres.kill()
            await asyncio.sleep(4)  # longer than the stream leaves the store alone
            assert not following.done()
            postgres.start()
            async with worker(settings):
                told = await following
    assert [name for name, _ in told][-1] == "done"


async def test_what_breaks_a_stream_is_told_in_it(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    task = await submit(client, prompt="slow 0.1", steps=100)
    following = asyncio.create_task(events(client, task["id"]))
    await asyncio.sleep(0.5)
    async with engine.begin() as connection:
        unreadable = """UPDATE tasks SET status = 'cancelled', images = '[{"no": "key"}]'"""
        await connection.execute(text(unreadable))
    name, data = (await following)[-1]
    assert (name, data["type"]) == ("error", "urn:problem:internal-error")


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (OSError("Multiple exceptions: [Errno 111], [Errno 111]"), True),
        (OSError(113, "No route to host"), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.TooManyConnectionsError(), True),
        (asyncpg.DeadlockDetectedError(), True),
        (redis.exceptions.BusyLoadingError(), True),
        (redis.exceptions.OutOfMemoryError(), True),
        (GenericError("connection refused"), True),
        (FileNotFoundError(2, "deleted"), False),
        (PermissionError(13, "denied"), False),
        (OSError(24, "Too many open files"), False),
        (asyncpg.UndefinedColumnError(), False),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.DatatypeMismatchError(), False),
        (redis.exceptions.ResponseError("WRONGTYPE"), False),
        (redis.exceptions.DataError(), False),
        (InvalidPathError(), False),
        (KeyError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_a_store_that_is_out_of_use_is_an_outage(error: Exception, outage: bool) -> None:
    assert is_outage(error) is outage


async def test_a_statement_that_is_wrong_is_no_outage(engine: AsyncEngine) -> None:
    with pytest.raises(SQLAlchemyError) as error:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))
    assert isinstance(error.value, DBAPIError)
    assert not is_outage(error.value)


async def test_a_locked_file_is_an_outage(tmp_path: Path) -> None:
    with (
        sqlite3.connect(tmp_path / "tasks.db") as first,
        sqlite3.connect(tmp_path / "tasks.db", timeout=0) as second,
    ):
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as error:
            second.execute("BEGIN EXCLUSIVE")
    assert is_outage(error.value)
