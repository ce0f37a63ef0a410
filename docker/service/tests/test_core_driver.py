"""Statements on PostgreSQL's driver itself get what SQLAlchemy gives, and spoil no connection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Float, Integer, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import create_engine
from core.driver import Driver
from core.settings import Settings
from tasks import statements
from tasks.parameters import Parameters
from tasks.store import TaskStore

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]

SLEEP = select(func.pg_sleep(bindparam("seconds", type_=Float())).label("slept"))
QUOTIENT = select(
    literal_column("1", Integer).op("/", return_type=Integer())(bindparam("by")).label("quotient")
)


@pytest.fixture
async def one(clean: None, settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine with one connection, so that who spoils it is found out."""
    engine = create_engine(settings.model_copy(update={"database_connections": 1}))
    yield engine.execution_options(isolation_level="AUTOCOMMIT")
    await engine.dispose()


async def run(engine: AsyncEngine, driver: Driver, statement: Any, **parameters: Any) -> Any:
    async with engine.connect() as connection:
        return await driver.run(connection, statement, parameters)


async def pid(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found: int = await connection.scalar(select(func.pg_backend_pid()))
        return found


async def test_rows_are_those_of_sqlalchemy(one: AsyncEngine, store: TaskStore) -> None:
    task = await store.submit(
        Parameters(prompt='a "cat" \u706f', width=256, height=256, seed=7), key_id=1, request_id="r"
    )
    assert task is not None
    driver = Driver(one.dialect)
    waiting = {"of_key": 1, "of_priority": 0, "of_model": None}
    for statement, parameters in (
        (statements.get, {"task_id": task.id}),
        (statements.get, {"task_id": uuid4()}),
        (statements.counts, {}),
        (statements.unfinished, {}),
        (statements.last_backup, {}),
        (statements.fair_rank, waiting),
        (statements.queued_ids, {"row_limit": 3}),
        (statements.dead, {"of_seconds": 60.0, "row_limit": 3}),
    ):
        async with one.connect() as connection:
            result = await connection.execute(statement, parameters)
            expected = [dict(row) for row in result.mappings()]
        assert await run(one, driver, statement, **parameters) == expected


async def test_a_statement_that_is_given_up_leaves_nobody_its_answer(one: AsyncEngine) -> None:
    driver = Driver(one.dialect)
    before = await pid(one)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run(one, driver, SLEEP, seconds=30.0), 0.2)
    for by in (1, 2):
        assert await run(one, driver, QUOTIENT, by=by) == [{"quotient": 1 // by}]
    assert await pid(one) != before


async def test_a_statement_that_fails_says_why_and_the_next_one_works(one: AsyncEngine) -> None:
    driver = Driver(one.dialect)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await run(one, driver, QUOTIENT, by=0)
    assert await run(one, driver, QUOTIENT, by=1) == [{"quotient": 1}]


async def test_a_connection_that_the_server_ended_is_replaced(
    one: AsyncEngine, engine: AsyncEngine
) -> None:
    driver = Driver(one.dialect)
    async with one.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
    ended = select(func.pg_terminate_backend(await pid(one)))
    async with engine.connect() as other:
        await other.execute(ended)
    while not raw.is_closed():  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
    assert await run(one, driver, QUOTIENT, by=1) == [{"quotient": 1}]
