"""The stores that tests run on. Tests that need servers carry the mark `stores`."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import openai
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import create_engine, migrate
from core.settings import Settings
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from tests import stores
from tests.service import SECRET, serve, worker


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
    """Standalone mode, and the stores of production; a limit that tests don't meet by chance."""
    standalone = request.param == "sqlite"
    return Settings(
        api_secret=SecretStr(SECRET),
        database_url=None if standalone else request.getfixturevalue("postgres_url"),
        redis_url=None if standalone else request.getfixturevalue("redis_url"),
        data_dir=tmp_path,
        model_id="noop",
        rate_limit="100000/minute",
        queue_limit=20,
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM tasks"))
        await connection.execute(text("DELETE FROM backups"))
        await connection.execute(text("DELETE FROM restore_drills"))
        await connection.execute(text("DELETE FROM scrubs"))
        await connection.execute(text("DELETE FROM damaged_pictures"))
        await connection.execute(text("DELETE FROM keys WHERE name <> 'operator'"))
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine, settings: Settings) -> TaskStore:
    return TaskStore(engine, settings)


@pytest.fixture
async def clean(engine: AsyncEngine, settings: Settings) -> None:
    """Stores with nothing in them."""
    if settings.redis_url:
        broker = RedisBroker(settings.redis_url)
        await broker._redis.flushall()
        await broker.close()


@pytest.fixture
async def client(clean: None, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A service with one worker."""
    async with serve(settings) as client, worker(settings):
        yield client


@pytest.fixture
async def client_without_worker(
    clean: None, settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    if settings.standalone:
        pytest.skip("standalone mode always has its worker")
    async with serve(settings) as client:
        yield client


@pytest.fixture
async def openai_client(client: httpx.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    url = str(client.base_url).rstrip("/") + "/v1"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=url, max_retries=0) as it:
        yield it
