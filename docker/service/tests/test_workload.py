"""How much there is to draw, and how fast it is drawn, on both databases."""

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import seconds_from_now, task_table
from tasks.parameters import Parameters
from tasks.store import Claim, TaskStore
from tasks.workload import Workload
from tests.test_store import claim, submit


@pytest.fixture
def workload(engine: AsyncEngine) -> Workload:
    return Workload(engine)


def test_a_unit_of_work_is_a_picture_of_full_size() -> None:
    assert Parameters(prompt="a cat").work == 1
    assert Parameters(prompt="a cat", width=512, height=512, steps=60, num_images=4).work == 2


async def test_work_is_what_waits_and_what_is_being_drawn(
    store: TaskStore, workload: Workload
) -> None:
    assert await workload.work() == {}
    for _ in range(3):
        await submit(store)
    await submit(store, model="another/model")
    taken = await claim(store)
    assert await workload.work() == {None: 3, "another/model": 1}
    await store.succeed(Claim(taken.id, taken.attempt), [])
    assert await workload.work() == {None: 2, "another/model": 1}


async def test_work_of_a_release_that_counted_none_is_a_picture(
    store: TaskStore, workload: Workload, engine: AsyncEngine
) -> None:
    await submit(store)
    async with engine.begin() as connection:
        await connection.execute(update(task_table).values(work=None))
    assert await workload.work() == {None: 1}


async def test_what_is_ahead_of_a_task_is_what_its_models_workers_draw_before_it(
    store: TaskStore, workload: Workload
) -> None:
    tasks = [await submit(store) for _ in range(3)]
    other = await submit(store, model="another/model")
    ahead = [await workload.ahead(task) for task in (*tasks, other)]
    assert [each.position for each in ahead] == [0, 1, 2, 0]
    assert [each.work for each in ahead] == [0, 1, 2, 0]
    await claim(store)
    last = await workload.ahead(tasks[2])
    assert (last.position, last.work) == (1, 2)


async def test_the_pace_is_that_of_the_last_pictures_of_a_model(
    store: TaskStore, workload: Workload, engine: AsyncEngine
) -> None:
    assert await workload.paces() == {}
    for model, seconds in ((None, 2), (None, 4), ("another/model", 10)):
        task = await submit(store, model=model)
        async with engine.begin() as connection:
            done = {
                "status": "succeeded",
                "started_at": seconds_from_now(-seconds),
                "finished_at": seconds_from_now(0),
            }
            await connection.execute(
                update(task_table).where(task_table.c.id == task.id).values(done)
            )
    # SQLite keeps milliseconds.
    assert await workload.paces() == pytest.approx({None: 3, "another/model": 10}, abs=0.01)


async def test_busy_workers_are_those_that_have_a_task(
    store: TaskStore, workload: Workload
) -> None:
    for _ in range(2):
        await submit(store)
    task = await claim(store, "done")
    await store.succeed(Claim(task.id, task.attempt), [])
    await claim(store, "busy")
    assert await workload.busy_workers() == {"busy"}
