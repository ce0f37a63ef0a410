"""What a process asks of the database: connections, which max_connections is reckoned with, and
statements."""

import asyncio
import json
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores
from tests.service import SECRET, SMALL, serve, worker
from tests.test_metrics import worker_process

pytestmark = pytest.mark.stores


def _declared(pod: str) -> int:
    golden = Path(__file__).parents[3] / f"test/golden/prod/{pod}.json"
    spec = json.loads(golden.read_text())["inputs"]["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    return int(env["DATABASE_CONNECTIONS"])


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval(
            "select count(*) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        return count
    finally:
        await connection.close()


@pytest.mark.parametrize("declared", [True, False], ids=["as declared", "with one each"])
async def test_all_is_done_with_as_many_connections_as_a_pod_may_open(
    declared: bool, servers_directory: Path, tmp_path: Path
) -> None:
    """One does too: nobody who holds a connection waits for another."""
    of_api, of_worker = (
        (_declared("api-server"), _declared("aigc-workers-server")) if declared else (1, 1)
    )
    directory = servers_directory / f"connections-{of_api}"
    with stores.postgres(directory) as (_, url), stores.redis(directory) as (_, redis_url):
        settings = Settings(
            api_secret=SecretStr(SECRET),
            database_url=url,
            redis_url=redis_url,
            data_dir=tmp_path,
            model_id="noop",
            rate_limit="100000/minute",
            relay_seconds=0.05,
            heartbeat_seconds=0.05,
            database_connections=of_api,
        )
        engine = create_engine(settings)
        await migrate(engine)
        await engine.dispose()
        assert await _count(url) == 0
        of_pod = settings.model_copy(update={"database_connections": of_worker})
        async with serve(settings) as client, worker(of_pod):
            requests = (client.post("/api/generate", json=SMALL | {"seed": n}) for n in range(60))
            answers = await asyncio.gather(*requests)
            assert {answer.status_code for answer in answers} == {200}
            assert await _count(url) <= of_api + of_worker


async def test_workers_that_idle_leave_the_database_to_others(
    servers_directory: Path, tmp_path: Path
) -> None:
    """Hundreds of them are what a database has beside its work: each looks once in five seconds."""
    directory = servers_directory / "idle"
    with stores.postgres(directory) as (_, url), stores.redis(directory) as (_, redis_url):
        settings = Settings(
            database_url=url, redis_url=redis_url, data_dir=tmp_path, model_id="noop"
        )
        engine = create_engine(settings)
        await migrate(engine)
        await engine.dispose()
        connection = await asyncpg.connect(url)
        async with worker_process(settings) as its_client:
            while not await _ready(its_client):
                await asyncio.sleep(0.1)
            before = await _transactions(connection)
            await asyncio.sleep(11)
            asked = await _transactions(connection) - before
        await connection.close()
    # Two or three looks, and those at the statistics.
    assert 1 < asked <= 6


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.ConnectError:
        return False


async def _transactions(connection: asyncpg.Connection) -> int:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    count: int = await connection.fetchval(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    )
    return count
