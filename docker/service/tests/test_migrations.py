import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import create_engine, migrate
from core.schema import metadata
from core.settings import Settings


async def test_migrations_build_the_schema_that_the_code_uses(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.fixture
async def old(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A database before the first migration that builds an index on a table with rows."""
    server = await asyncpg.connect(postgres_url)
    await server.execute("CREATE DATABASE old")
    url = make_url(postgres_url).set(database="old").render_as_string(hide_password=False)
    engine = create_engine(Settings(database_url=url))
    await migrate(engine, "0003")
    yield engine
    await engine.dispose()
    await server.execute("DROP DATABASE old WITH (FORCE)")
    await server.close()


async def connect(engine: AsyncEngine) -> asyncpg.Connection:
    url = engine.url.set(drivername="postgresql")
    return await asyncpg.connect(url.render_as_string(hide_password=False))


_WRITE = """
INSERT INTO tasks (id, key_id, request_id, parameters, status, priority, rank, attempt,
  attempts_left, step, created_at, deadline_at)
VALUES (gen_random_uuid(), 1, 'r', '{}', 'queued', 0, 0, 0, 3, 0, now(), now())
"""
_BUILDING = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE 'CREATE INDEX%tasks_finished_of_key%' AND wait_event_type = 'Lock'
"""
_CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'
"""
_INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


async def building(connection: asyncpg.Connection, migrating: asyncio.Task[None]) -> None:
    """Returns when an index is being built, and waits for others' transactions."""
    while not await connection.fetchval(_BUILDING):
        assert not migrating.done()
        await asyncio.sleep(0.05)


@pytest.mark.stores
async def test_the_service_writes_while_indexes_are_built(old: AsyncEngine) -> None:
    before, meanwhile = await connect(old), await connect(old)
    async with before.transaction():
        await before.execute(_WRITE)
        migrating = asyncio.create_task(migrate(old))
        await building(meanwhile, migrating)
        await meanwhile.execute("SET lock_timeout = '2s'")
        await meanwhile.execute(_WRITE)
    await migrating
    assert await meanwhile.fetchval(_INVALID) == 0
    await before.close()
    await meanwhile.close()


@pytest.mark.stores
async def test_two_jobs_that_migrate_at_once_both_succeed(old: AsyncEngine) -> None:
    await asyncio.gather(migrate(old), migrate(old))


@pytest.mark.stores
async def test_a_migration_may_take_longer_than_a_request(old: AsyncEngine) -> None:
    blocker = await connect(old)
    async with blocker.transaction():
        await blocker.execute(_WRITE)
        migrating = asyncio.create_task(migrate(old))
        await asyncio.sleep(6)  # the engine's own limit is 5 s
        assert not migrating.done()
    await migrating
    await blocker.close()


@pytest.mark.stores
async def test_an_index_that_was_cut_off_is_built_anew(old: AsyncEngine) -> None:
    before, meanwhile = await connect(old), await connect(old)
    async with before.transaction():
        await before.execute(_WRITE)
        migrating = asyncio.create_task(migrate(old))
        await building(meanwhile, migrating)
        await meanwhile.execute(_CUT_OFF)
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver says of it
            await migrating
    assert await meanwhile.fetchval(_INVALID) == 1
    await migrate(old)
    assert await meanwhile.fetchval(_INVALID) == 0
    await before.close()
    await meanwhile.close()
