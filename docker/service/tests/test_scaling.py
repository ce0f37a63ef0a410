"""What a scaler is told, and what a task's owner is told of a worker that has yet to start."""

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import create_engine, migrate
from core.settings import Settings
from tasks.broker import Start
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from tests import stores
from tests.service import SECRET, serve, worker
from tests.test_api import events, submit, until_final
from tests.test_store import claim
from tests.test_store import submit as submit_task

pytestmark = pytest.mark.stores
PICTURE_SECONDS = 10
SMALL_WORK = 256 * 256 * 2 / (1024 * 1024 * 30)


@pytest.fixture
def settings(postgres_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        api_secret=SecretStr(SECRET),
        database_url=postgres_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        model_id="noop",
        other_models=("noop/another",),
        picture_seconds=PICTURE_SECONDS,
        rate_limit="100000/minute",
    )


async def scaler(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """What KEDA or Prometheus gets, which have no key."""
    metrics: str = client.metrics_url  # type: ignore[attr-defined]
    async with httpx.AsyncClient(timeout=10) as anyone:
        return await anyone.get(metrics.removesuffix("/metrics") + path)


async def test_a_scaler_is_told_how_many_seconds_of_work_there_are(
    client_without_worker: httpx.AsyncClient, store: TaskStore
) -> None:
    client = client_without_worker
    assert (await scaler(client, "/work")).json() == {"seconds": 0}
    for _ in range(2):
        await submit(client)
    await submit(client, model="noop/another")
    await claim(store)
    # One waits and one is in hand.
    seconds = pytest.approx(2 * SMALL_WORK * PICTURE_SECONDS)
    assert (await scaler(client, "/work")).json() == {"seconds": seconds}
    assert (await scaler(client, "/work?model=noop")).json() == {"seconds": seconds}
    other = await scaler(client, "/work?model=noop%2Fanother")
    assert other.json() == {"seconds": pytest.approx(SMALL_WORK * PICTURE_SECONDS)}
    assert (await scaler(client, "/work?model=no/such")).status_code == 422
    metrics = (await scaler(client, "/metrics")).text
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
    assert float(lines['aigc_work_seconds{model="noop"}']) == seconds
    assert 'aigc_work_seconds{model="noop_another"}' in lines


async def test_a_scaler_is_not_told_what_was_counted_before_the_database_went(
    servers_directory: Path, tmp_path: Path
) -> None:
    directory = servers_directory / "scaling"
    with (
        stores.postgres(directory) as (postgres, database_url),
        stores.redis(directory) as (_, redis_url),
    ):
        settings = Settings(
            api_secret=SecretStr(SECRET),
            database_url=database_url,
            redis_url=redis_url,
            data_dir=tmp_path,
        )
        engine = create_engine(settings)
        await migrate(engine)
        await engine.dispose()
        async with serve(settings) as client:
            assert (await scaler(client, "/work")).status_code == 200
            postgres.kill()
            assert (await scaler(client, "/work")).status_code == 503
    shutil.rmtree(directory)


async def test_a_task_says_that_a_worker_starts_and_how_long_it_usually_takes(
    client_without_worker: httpx.AsyncClient, settings: Settings
) -> None:
    client = client_without_worker
    task = await submit(client)
    assert (task["worker_starting"], task["eta_seconds"]) == (True, None)
    await asyncio.sleep(1)
    async with worker(settings):
        assert (await until_final(client, task["id"]))["status"] == "succeeded"
    again = await submit(client)
    assert again["worker_starting"]
    # It took a second at least, of which nothing is over.
    assert 1 <= again["eta_seconds"] < 15
    told = asyncio.create_task(events(client, again["id"]))
    await asyncio.sleep(0.5)
    async with worker(settings):
        assert (await told)[0][1]["worker_starting"]
        done = await until_final(client, again["id"])
        assert (done["eta_seconds"], done["worker_starting"]) == (None, False)


async def test_with_a_worker_a_tasks_time_is_that_of_the_work_before_it(
    client_without_worker: httpx.AsyncClient, settings: Settings
) -> None:
    client = client_without_worker
    assert settings.redis_url is not None
    broker = RedisBroker(settings.redis_url)
    for name in ("one", "two"):
        await broker.announce(name)
    tasks = [await submit(client) for _ in range(3)]
    own = SMALL_WORK * PICTURE_SECONDS
    etas = [task["eta_seconds"] for task in tasks]
    assert etas == pytest.approx([own, own * 1.5, own * 2])
    await broker.close()


async def test_a_start_is_measured_from_the_first_that_waits_to_the_first_worker(
    clean: None, settings: Settings
) -> None:
    assert settings.redis_url is not None
    broker = RedisBroker(settings.redis_url)
    first = await broker.start()
    assert first is not None
    assert first.usual_seconds is None
    await asyncio.sleep(0.3)
    second = await broker.start()
    assert second is not None
    assert second.for_seconds >= 0.3
    await broker.announce("worker")
    assert await broker.start() is None
    await broker.withdraw("worker")
    third = await broker.start()
    assert isinstance(third, Start)
    assert third.for_seconds < 0.3 <= (third.usual_seconds or 0)
    # Another queue has its own.
    other = await broker.start("noop/another")
    assert other is not None
    assert other.usual_seconds is None
    await broker.close()


async def test_the_wait_for_a_first_worker_takes_nothing_of_a_tasks_time_and_no_attempt(
    engine: AsyncEngine, settings: Settings
) -> None:
    from_zero = settings.model_copy(update={"task_seconds": 0, "worker_start_seconds": 60})
    store = TaskStore(engine, from_zero)
    task = await submit_task(store)
    assert await store.fail_overdue() == []
    taken = await claim(store)
    assert (taken.id, taken.attempts_left) == (task.id, settings.max_attempts)
