"""The stores that tests run on. Tests that need servers carry the mark `stores`."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tasks.database import create_engine, migrate
from tasks.redis_queue import RedisQueue
from tasks.settings import Settings
from tasks.store import TaskStore
from tests import stores


@pytest.fixture(scope="session")
def servers_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="service-tests-") as name:
        path = Path(name)
        path.chmod(0o755)  # for the servers' own user
        yield path


@pytest.fixture(scope="session")
def postgres_url(servers_directory: Path) -> Iterator[str]:
    with stores.postgres(servers_directory) as (_, url):
        yield url


@pytest.fixture(scope="session")
def redis_url(servers_directory: Path) -> Iterator[str]:
    with stores.redis(servers_directory) as (_, url):
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.stores)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    on_sqlite = request.param == "sqlite"
    return Settings(
        database_url=None if on_sqlite else request.getfixturevalue("postgres_url"),
        data_dir=tmp_path,
        lease_seconds=30,
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM tasks"))
        await connection.execute(text("DELETE FROM keys WHERE name <> 'operator'"))
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine, settings: Settings) -> TaskStore:
    return TaskStore(engine, settings)


@pytest.fixture
async def redis_queue(redis_url: str) -> AsyncIterator[RedisQueue]:
    queue = RedisQueue(redis_url)
    await queue._redis.flushall()
    yield queue
    await queue.close()
