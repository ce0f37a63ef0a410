"""How many connections to the database a process opens, which max_connections is reckoned with."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores
from tests.service import SECRET, SMALL, serve, worker

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
