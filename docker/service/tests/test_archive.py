"""What the service tells of the database's archive."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import create_engine
from core.postgres_health import postgres_health
from core.settings import Settings
from tests import stores

pytestmark = pytest.mark.stores


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Of a server that archives by a command that can be changed."""
    if settings.database_url is None:
        pytest.skip("SQLite has no archive")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # for the server's own user
        with stores.postgres(Path(name)) as (server, url):
            engine = create_engine(settings.model_copy(update={"database_url": url}))
            await _archive_by(engine, "true")
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("ALTER SYSTEM SET archive_mode = on"))
            await engine.dispose()
            server.kill(signal.SIGINT)
            server.start()
            yield engine
            await engine.dispose()


async def _archive_by(engine: AsyncEngine, command: str) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"ALTER SYSTEM SET archive_command = '{command}'"))
        await connection.execute(text("SELECT pg_reload_conf()"))


async def _fill_a_segment(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS filler (of_it int)"))
        await connection.execute(text("INSERT INTO filler VALUES (1)"))
        await connection.execute(text("SELECT pg_switch_wal()"))


async def _until(engine: AsyncEngine, *, fails: bool) -> None:
    async with asyncio.timeout(60):
        while (await postgres_health(engine)).archive_fails is not fails:
            await asyncio.sleep(0.1)


async def test_an_archive_that_takes_nothing_is_seen_and_one_that_takes_again(
    engine: AsyncEngine,
) -> None:
    assert not (await postgres_health(engine)).archive_fails
    await _archive_by(engine, "false")
    await _fill_a_segment(engine)
    await _until(engine, fails=True)
    await _archive_by(engine, "true")
    await _fill_a_segment(engine)
    await _until(engine, fails=False)


async def test_an_archiver_that_hangs_is_seen_and_delays_no_commit(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def value(statement: str) -> Any:
        async with engine.connect() as connection:
            return await connection.scalar(text(statement))

    async def archived(count: int) -> None:
        async with asyncio.timeout(60):
            while await value("SELECT archived_count FROM pg_stat_archiver") < count:
                await asyncio.sleep(0.1)

    monkeypatch.setattr("core.postgres_health.ARCHIVE_PATIENCE_SECONDS", 1)
    await _fill_a_segment(engine)
    await archived(1)
    await asyncio.sleep(1)
    assert not (await postgres_health(engine)).archive_fails  # idle, and nothing waits
    archiver = await value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'archiver'")
    os.kill(archiver, signal.SIGSTOP)
    try:
        for _ in range(3):
            await _fill_a_segment(engine)
        await _until(engine, fails=True)
    finally:
        os.kill(archiver, signal.SIGCONT)
    await archived(4)
    assert not (await postgres_health(engine)).archive_fails
    assert await value("SELECT count(*) FROM filler") == 4
