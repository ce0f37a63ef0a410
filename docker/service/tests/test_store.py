"""The task protocol: every promise on both databases."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import (
    OPERATOR_KEY_ID,
    Status,
    backup_table,
    damaged_picture_table,
    drill_table,
    scrub_table,
    seconds_from_now,
    task_table,
)
from core.settings import Settings
from tasks.history import History
from tasks.parameters import ImageFormat, Parameters
from tasks.store import Claim, Drill, TaskStore, Unfinished
from tasks.task import StoredImage, Task

IMAGE = StoredImage(object_key="outputs/x/1/0.png", seed=7, format=ImageFormat.PNG, sha256="00")


async def submit(store: TaskStore, prompt: str = "a cat", key_id: int = 1, **more: object) -> Task:
    task = await store.submit(
        Parameters(prompt=prompt, seed=7),
        key_id=key_id,
        request_id="request",
        **more,  # type: ignore[arg-type]
    )
    assert task is not None
    return task


async def claim(store: TaskStore, worker: str = "worker-1") -> Task:
    task = await store.claim(worker)
    assert task is not None
    return task


async def get(store: TaskStore, task: Task) -> Task:
    found = await store.get(task.id, key_id=task.key_id)
    assert found is not None
    return found


async def expire_lease(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE tasks SET lease_until = '2000-01-01 00:00:00'"))


async def end_retry_delay(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(task_table).values(retry_at=seconds_from_now(0)))


async def test_a_task_goes_from_queued_to_succeeded(store: TaskStore) -> None:
    accepted = await submit(store)
    assert (accepted.status, accepted.attempt) == (Status.QUEUED, 0)

    running = await claim(store)
    assert (running.id, running.status, running.attempt) == (accepted.id, Status.RUNNING, 1)
    assert running.queued_seconds is not None
    assert running.queued_seconds >= 0

    assert await store.succeed(Claim(running.id, 1), [IMAGE])
    done = await get(store, running)
    assert (done.status, done.images) == (Status.SUCCEEDED, [IMAGE])
    assert done.generation_seconds is not None


async def test_an_empty_queue_gives_nothing(store: TaskStore) -> None:
    assert await store.claim("worker-1") is None


async def test_concurrent_claims_never_share_a_task(store: TaskStore) -> None:
    for _ in range(20):
        await submit(store)
    claimed = await asyncio.gather(*(store.claim(f"worker-{n}") for n in range(20)))
    assert len({task.id for task in claimed if task}) == 20


async def test_a_stale_worker_cannot_finalise(store: TaskStore, engine: AsyncEngine) -> None:
    await submit(store)
    stale = await claim(store)
    await expire_lease(engine)
    assert [task.status for task in await store.requeue_expired()] == [Status.QUEUED]
    fresh = await claim(store)
    assert (fresh.id, fresh.attempt) == (stale.id, 2)

    stale_claim = Claim(stale.id, stale.attempt)
    assert not await store.renew(stale_claim, 3)
    assert not await store.succeed(stale_claim, [IMAGE])
    assert not await store.fail(stale_claim, "code", "text")
    assert not await store.hand_back(stale_claim)
    assert await store.succeed(Claim(fresh.id, fresh.attempt), [IMAGE])


async def test_a_result_is_recorded_once(store: TaskStore) -> None:
    await submit(store)
    task = await claim(store)
    assert await store.succeed(Claim(task.id, task.attempt), [IMAGE])
    assert not await store.succeed(Claim(task.id, task.attempt), [])
    assert (await get(store, task)).images == [IMAGE]


async def test_a_live_lease_is_left_alone(store: TaskStore) -> None:
    await submit(store)
    await claim(store)
    assert await store.requeue_expired() == []


async def test_renewing_extends_the_lease(store: TaskStore, engine: AsyncEngine) -> None:
    await submit(store)
    task = await claim(store)
    await expire_lease(engine)
    assert await store.renew(Claim(task.id, task.attempt), 5)
    assert await store.requeue_expired() == []
    assert (await get(store, task)).step == 5


async def test_the_third_lost_worker_ends_the_task(store: TaskStore, engine: AsyncEngine) -> None:
    await submit(store)
    outcomes = []
    for _ in range(3):
        await claim(store)
        await expire_lease(engine)
        outcomes += [task.status for task in await store.requeue_expired()]
    assert outcomes == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    assert await store.claim("worker-1") is None


async def test_a_failed_task_waits_a_little_and_then_goes_to_another_worker(
    store: TaskStore, engine: AsyncEngine, settings: Settings
) -> None:
    task = await submit(store)
    taken = await claim(store, "sick")
    assert await store.retry(Claim(taken.id, taken.attempt), "broken", "") is Status.QUEUED
    assert await store.claim("well") is None
    assert await store.queued_ids(10) == {}
    await end_retry_delay(engine)
    assert await store.queued_ids(10) == {None: [task.id]}
    if not settings.standalone:  # else there is no other
        assert await store.claim("sick") is None
    assert (await claim(store, "well")).id == task.id


async def test_a_failed_task_goes_to_the_worker_that_failed_it_when_no_other_takes_it(
    store: TaskStore, engine: AsyncEngine, settings: Settings
) -> None:
    task = await submit(store)
    taken = await claim(store, "only")
    assert await store.retry(Claim(taken.id, taken.attempt), "broken", "") is Status.QUEUED
    async with engine.begin() as connection:
        past = seconds_from_now(-settings.avoid_seconds)
        await connection.execute(update(task_table).values(retry_at=past))
    assert (await claim(store, "only")).id == task.id


async def test_handing_back_costs_no_attempt(store: TaskStore) -> None:
    await submit(store)
    for attempt in range(1, 6):
        task = await claim(store)
        assert task.attempt == attempt
        assert await store.hand_back(Claim(task.id, attempt))
    assert (await claim(store)).attempts_left == 3


@pytest.mark.parametrize("running", [False, True])
async def test_cancelling_is_final(store: TaskStore, running: bool) -> None:
    task = await submit(store)
    if running:
        task = await claim(store)
    assert await store.cancel(task.id, key_id=task.key_id)
    assert not await store.cancel(task.id, key_id=task.key_id)
    assert not await store.succeed(Claim(task.id, task.attempt), [IMAGE])
    assert await store.claim("worker-1") is None
    assert (await get(store, task)).status is Status.CANCELLED


async def test_a_key_sees_and_cancels_only_its_own(store: TaskStore, engine: AsyncEngine) -> None:
    task = await submit(store, key_id=1)
    assert await store.get(task.id, key_id=2) is None
    assert not await store.cancel(task.id, key_id=2)
    assert await History(engine).page(key_id=2, limit=10) == []


async def test_an_idempotency_key_is_used_once_per_key(store: TaskStore) -> None:
    first = await submit(store, idempotency_key="k", request_hash=b"h")
    again = await store.submit(
        Parameters(prompt="x"), key_id=1, request_id="r", idempotency_key="k", request_hash=b"g"
    )
    assert again is None
    found = await store.get_by_idempotency_key("k", key_id=1)
    assert found is not None
    assert found.id == first.id
    await submit(store, key_id=2, idempotency_key="k")


async def test_a_key_with_many_tasks_starves_nobody(store: TaskStore) -> None:
    for n in range(50):
        await submit(store, f"greedy {n}", key_id=1)
    for n in range(3):
        await submit(store, f"modest {n}", key_id=2)
    order = [(await claim(store)).parameters.prompt for _ in range(6)]
    assert order == ["greedy 0", "modest 0", "greedy 1", "modest 1", "greedy 2", "modest 2"]


async def test_tasks_accepted_at_once_are_dealt_out_key_by_key(store: TaskStore) -> None:
    await asyncio.gather(
        *(submit(store, f"{key_id}.{n}", key_id=key_id) for key_id in (1, 2) for n in range(20))
    )
    order = [(await claim(store)).key_id for _ in range(40)]
    pairs = zip(order[::2], order[1::2], strict=True)
    assert all(set(pair) == {1, 2} for pair in pairs), order


async def test_an_idempotency_key_used_twice_at_once_makes_one_task(store: TaskStore) -> None:
    parameters = Parameters(prompt="x")
    made = await asyncio.gather(
        *(
            store.submit(parameters, key_id=1, request_id=f"{n}", idempotency_key="k")
            for n in range(8)
        )
    )
    assert sum(task is not None for task in made) == 1


async def test_priority_goes_first(store: TaskStore) -> None:
    await submit(store, "later")
    await submit(store, "sooner", priority=1)
    assert (await claim(store)).parameters.prompt == "sooner"


async def test_an_overdue_task_fails_and_is_not_started(
    store: TaskStore, engine: AsyncEngine
) -> None:
    task = await submit(store)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE tasks SET deadline_at = '2000-01-01 00:00:00'"))
    assert await store.claim("worker-1") is None
    assert [late.id for late in await store.fail_overdue()] == [task.id]
    assert (await get(store, task)).error_code == "deadline_exceeded"


async def test_pages_go_from_new_to_old_without_gaps(store: TaskStore, engine: AsyncEngine) -> None:
    history = History(engine)
    ids = [(await submit(store)).id for _ in range(5)]
    first = await history.page(key_id=OPERATOR_KEY_ID, limit=3)
    rest = await history.page(key_id=OPERATOR_KEY_ID, limit=3, before=first[-1].id)
    assert [task.id for task in first + rest] == ids[::-1]


async def test_counts(store: TaskStore) -> None:
    for _ in range(3):
        await submit(store)
    await claim(store)
    task = await claim(store)
    await store.succeed(Claim(task.id, task.attempt), [IMAGE])
    counts = await store.counts()
    assert (counts.queued, counts.running, counts.finished_last_minute) == (1, 1, 1)


async def test_what_is_not_final_is_known_by_model_and_status(store: TaskStore) -> None:
    assert await store.unfinished() == []
    taken = await submit(store)
    first = await submit(store, model="another")
    await submit(store, model="another")
    await claim(store)
    done = sorted(await store.unfinished(), key=lambda each: each.status)
    assert done == [
        Unfinished("another", Status.QUEUED, 2, first.created_at),
        Unfinished(None, Status.RUNNING, 1, taken.created_at),
    ]


async def test_the_newest_backup_is_known(store: TaskStore, engine: AsyncEngine) -> None:
    assert await store.last_backup() is None
    times = [datetime(2026, 1, day, 2, tzinfo=UTC) for day in (2, 1)]
    async with engine.begin() as connection:
        await connection.execute(backup_table.insert(), [{"finished_at": time} for time in times])
    assert await store.last_backup() == times[0]


async def test_the_newest_scrub_is_known_and_how_many_pictures_are_damaged(
    store: TaskStore, engine: AsyncEngine
) -> None:
    assert await store.last_scrub() is None
    assert await store.damaged_pictures() == 0
    moment = datetime(2026, 1, 1, 5, tzinfo=UTC)
    damaged = [
        {"object_key": f"outputs/{n}", "task_id": uuid4(), "sha256": "0", "found_at": moment}
        for n in range(2)
    ]
    async with engine.begin() as connection:
        await connection.execute(scrub_table.insert(), [{"finished_at": moment}])
        await connection.execute(damaged_picture_table.insert(), damaged)
    assert await store.last_scrub() == moment
    assert await store.damaged_pictures() == 2


async def test_the_newest_drill_is_known_and_the_newest_good_one(
    store: TaskStore, engine: AsyncEngine
) -> None:
    assert await store.last_drill() is None
    assert await store.last_good_drill() is None
    good = {"succeeded": True, "lost_seconds": 31, "restore_seconds": 12}
    failed = {"succeeded": False, "lost_seconds": None, "restore_seconds": None}
    drills = [
        {"finished_at": datetime(2026, 1, day, tzinfo=UTC)} | outcome
        for day, outcome in ((1, good), (8, good), (15, failed))
    ]
    async with engine.begin() as connection:
        await connection.execute(drill_table.insert(), drills)
    assert await store.last_drill() == Drill(**drills[2])
    assert await store.last_good_drill() == Drill(**drills[1])
