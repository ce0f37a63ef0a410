"""What is told of stores that are away."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from tasks.database import create_engine, migrate
from tasks.settings import Settings
from tests import stores
from tests.service import SECRET, serve

pytestmark = pytest.mark.stores


async def test_metrics_say_which_store_is_down_and_keep_what_was_counted(
    servers_directory: Path, tmp_path: Path
) -> None:
    directory = servers_directory / "outages"
    with (
        stores.postgres(directory) as (postgres, database_url),
        stores.redis(directory) as (redis, redis_url),
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


async def test_a_managed_database_is_asked_for_tls(postgres_url: str) -> None:
    engine = create_engine(Settings(database_url=f"{postgres_url}?sslmode=require"))
    with pytest.raises(ConnectionError, match="SSL"):  # the test's server has no certificate
        await engine.connect()
    await engine.dispose()
