"""Tasks that used up their attempts, and the operator who gives them others."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import Status, seconds_from_now
from core.schema import task_table as t
from core.settings import Settings
from tasks.store import Claim, TaskStore
from tasks.task import Task
from tests.command_line import command_line
from tests.test_store import IMAGE, claim, end_retry_delay, get, submit


async def die(store: TaskStore, engine: AsyncEngine, *, key_id: int = 1) -> Task:
    """A task that fails three times; nothing else may be queued."""
    task = await submit(store, key_id=key_id)
    for n, expected in enumerate((Status.QUEUED, Status.QUEUED, Status.FAILED)):
        await end_retry_delay(engine)
        taken = await claim(store, f"worker-{n}")
        assert taken.id == task.id
        assert await store.retry(Claim(taken.id, taken.attempt), "broken", "It broke.") is expected
    return task


async def died_ago(engine: AsyncEngine, task_id: UUID, seconds: float) -> None:
    async with engine.begin() as connection:
        ago = seconds_from_now(-seconds)
        await connection.execute(update(t).where(t.c.id == task_id).values(finished_at=ago))


async def test_a_dead_task_gets_fresh_attempts_from_the_operator(
    store: TaskStore, engine: AsyncEngine
) -> None:
    task = await die(store, engine)
    assert [dead.id for dead in await store.dead()] == [task.id]
    other = await submit(store)
    assert await store.requeue_dead([other.id]) == []
    assert await store.requeue_dead() == [task.id]
    assert await store.dead() == []
    assert (await claim(store)).id == other.id, "who was sent meanwhile is not overtaken"
    again = await claim(store)
    assert (again.id, again.attempt, again.attempts_left) == (task.id, 4, 3)
    assert not await store.succeed(Claim(task.id, 3), [IMAGE])
    assert await store.succeed(Claim(again.id, again.attempt), [IMAGE])
    done = await get(store, task)
    assert (done.status, done.error_code, len(done.images)) == (Status.SUCCEEDED, None, 1)


async def test_dead_tasks_are_taken_by_their_age_and_those_that_died_first_go_first(
    store: TaskStore, engine: AsyncEngine
) -> None:
    ages = [7200, 1800, 600, 60]
    ids = [(await die(store, engine)).id for _ in ages]
    for id_, age in zip(ids, ages, strict=True):
        await died_ago(engine, id_, age)
    assert [task.id for task in await store.dead()] == ids
    assert [task.id for task in await store.dead(seconds=3600)] == ids[1:]
    assert [task.id for task in await store.dead(seconds=3600, limit=2)] == ids[1:3]
    assert await store.requeue_dead(seconds=3600) == ids[1:]
    assert [task.id for task in await store.dead()] == ids[:1]
    assert [(await claim(store)).id for _ in ids[1:]] == ids[1:]


@pytest.mark.parametrize("named", [False, True], ids=["all", "by their ids"])
async def test_no_more_dead_tasks_come_back_than_the_queue_has_room_for(
    engine: AsyncEngine, settings: Settings, named: bool
) -> None:
    store = TaskStore(engine, settings.model_copy(update={"queue_limit": 3}))
    ids = [(await die(store, engine)).id for _ in range(4)]
    await submit(store)
    assert await store.requeue_dead(ids if named else None) == ids[:2]
    assert await store.requeue_dead(ids if named else None) == []
    assert (await store.counts()).queued == 3
    assert [task.id for task in await store.dead()] == ids[2:]


async def test_dead_tasks_that_come_back_take_turns_with_other_keys(
    store: TaskStore, engine: AsyncEngine
) -> None:
    for _ in range(4):
        await die(store, engine, key_id=2)
    await store.requeue_dead()
    for _ in range(4):
        await submit(store, key_id=1)
    keys = [(await claim(store)).key_id for _ in range(8)]
    assert sorted(keys[:4]) == sorted(keys[4:]) == [1, 1, 2, 2], keys


def test_the_command_line_takes_an_age(tmp_path: Path) -> None:
    tasks = command_line(tmp_path)
    assert tasks("migrate").returncode == 0
    assert tasks("dead", "--since", "2h").returncode == 0
    assert tasks("requeue", "--since", "7d").stdout == "0 tasks queued again, 0 left dead.\n"
    assert "not a duration" in tasks("requeue", "--since", "yesterday").stderr
