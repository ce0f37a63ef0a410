"""What is told of stores that are away."""

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest

from api import submission
from core.database import create_engine, migrate
from core.outages import is_outage
from core.settings import Settings
from tasks.store import TaskStore
from tests import stores
from tests.service import SMALL, on, serve, worker

pytestmark = pytest.mark.stores


async def test_metrics_say_which_store_is_down_and_keep_what_was_counted(
    servers_directory: Path, tmp_path: Path
) -> None:
    directory = servers_directory / "outages"
    with (
        stores.postgres(directory) as (postgres, database_url),
        stores.redis(directory) as (redis, redis_url),
    ):
        settings = await on(database_url, redis_url, tmp_path)
        async with serve(settings) as client, httpx.AsyncClient(timeout=4) as prometheus:

            async def scrape() -> str:
                answer = await prometheus.get(client.metrics_url)  # type: ignore[attr-defined]
                assert answer.status_code == 200
                return answer.text

            both = await scrape()
            assert 'aigc_store_up{store="postgres"} 1.0' in both
            assert 'aigc_store_up{store="redis"} 1.0' in both
            redis.kill()
            assert 'aigc_store_up{store="redis"} 0.0' in await scrape()
            postgres.kill()
            neither = await scrape()
            assert 'aigc_store_up{store="postgres"} 0.0' in neither
            assert "aigc_queue_size 0.0" in neither
            redis.start()
            postgres.start()
            again = await scrape()
            assert 'aigc_store_up{store="postgres"} 1.0' in again
            assert 'aigc_store_up{store="redis"} 1.0' in again


async def test_a_pod_without_its_stores_stays_ready_and_says_what_is_wrong(
    servers_directory: Path, tmp_path: Path
) -> None:
    directory = servers_directory / "ready"
    with (
        stores.postgres(directory) as (postgres, database_url),
        stores.redis(directory) as (redis, redis_url),
    ):
        settings = await on(database_url, redis_url, tmp_path)
        redis.kill()
        async with serve(settings) as client:
            assert (await client.get("/readyz")).status_code == 503, "never reached Redis"
            redis.start()
            assert (await client.get("/readyz")).status_code == 200
            redis.kill()
            postgres.kill()
            assert (await client.get("/readyz")).status_code == 200
            answer = await client.get("/api/tasks")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_database_that_restarts_during_a_wait_costs_no_answer(
    servers_directory: Path, tmp_path: Path, redis_url: str
) -> None:
    with stores.postgres(servers_directory / "during-a-wait") as (postgres, database_url):
        settings = await on(database_url, redis_url, tmp_path, max_wait_seconds=20)
        engine = create_engine(settings)
        store = TaskStore(engine, settings)
        async with serve(settings) as client:
            waiting = [
                asyncio.create_task(client.post(path, json=body))
                for path, body in (
                    ("/api/generate", SMALL),
                    ("/v1/images/generations", {"prompt": "a cat", "size": "256x256"}),
                )
            ]
            while (await store.counts()).queued < len(waiting):
                await asyncio.sleep(0.05)
            await engine.dispose()
            postgres.kill()
            # Each wait asks the store at least this often.
            await asyncio.sleep(2 * submission._POLL_SECONDS)
            postgres.start()
            async with worker(settings):
                answers = await asyncio.gather(*waiting)
        assert [answer.status_code for answer in answers] == [200, 200]


async def test_what_was_accepted_is_named_though_its_pictures_are_out_of_reach(
    clean: None, settings: Settings
) -> None:
    async with serve(settings) as client, worker(settings):
        for path, body in (
            ("/api/generate", SMALL),
            ("/v1/images/generations", {"prompt": "a cat", "response_format": "b64_json"}),
        ):
            headers = {"Idempotency-Key": path}
            done = await client.post(path, json=body, headers=headers)
            assert done.status_code == 200
            shutil.rmtree(settings.data_dir / "outputs")
            (settings.data_dir / "outputs").touch()
            answer = await client.post(path, json=body, headers=headers | {"Accept": "image/png"})
            assert answer.status_code == 503
            assert answer.headers["location"] == done.headers["location"]
            (settings.data_dir / "outputs").unlink()


async def test_a_database_that_was_away_is_used_again_without_an_error(
    servers_directory: Path,
) -> None:
    with stores.postgres(servers_directory / "restart") as (postgres, url):
        settings = Settings(database_url=url)
        engine = create_engine(settings)
        await migrate(engine)
        store = TaskStore(engine, settings)
        await asyncio.gather(*(store.counts() for _ in range(5)))  # fills the pool
        postgres.kill()
        with pytest.raises(Exception) as error:  # noqa: PT011 - told apart below
            await store.counts()
        assert is_outage(error.value)
        postgres.start()
        await asyncio.gather(*(store.counts() for _ in range(5)))
        await engine.dispose()


async def test_a_managed_database_is_asked_for_tls(postgres_url: str) -> None:
    engine = create_engine(Settings(database_url=f"{postgres_url}?sslmode=require"))
    with pytest.raises(ConnectionError, match="SSL"):  # the test's server has no certificate
        await engine.connect()
    await engine.dispose()
