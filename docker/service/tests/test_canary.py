"""Workers on trial: they get their share, and nobody's picture depends on them."""

from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from core.schema import Status, seconds_from_now, task_table
from core.settings import CANARY, Settings
from tasks.canary import SECONDS, queue_of
from tasks.parameters import Parameters
from tasks.store import Claim, TaskStore
from tasks.task import Task

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]

SHARE = 0.25
OTHER = "owner/other"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"canary_share": SHARE})


@pytest.fixture
def on_trial(engine: AsyncEngine, settings: Settings) -> TaskStore:
    return TaskStore(engine, settings.model_copy(update={"canary": True}))


async def submit(store: TaskStore, last_byte: int, model: str | None = None) -> Task:
    task = await store.submit(
        Parameters(prompt="a cat", seed=7),
        key_id=1,
        request_id="request",
        model=model,
        task_id=UUID(bytes=uuid7().bytes[:-1] + bytes([last_byte])),
    )
    assert task is not None
    return task


async def claim_all(store: TaskStore, worker: str) -> list[UUID]:
    claimed = []
    while (task := await store.claim(worker)) is not None:
        claimed.append(task.id)
    return claimed


async def test_each_task_is_offered_to_one_side_and_its_ticket_goes_there(
    store: TaskStore, on_trial: TaskStore, settings: Settings
) -> None:
    tasks = [await submit(store, byte) for byte in (0, 63, 64, 255)]
    queues = {task.id: queue_of(settings, task.id, task.model) for task in tasks}

    claimed = dict.fromkeys(await claim_all(on_trial, "on-trial"), CANARY)
    claimed |= dict.fromkeys(await claim_all(store, "other"))

    assert claimed == queues
    assert [queues[task.id] for task in tasks] == [CANARY, CANARY, None, None]


async def test_the_share_of_the_ids_that_the_service_makes_is_about_what_was_asked_for(
    settings: Settings,
) -> None:
    ids = [uuid7() for _ in range(4000)]
    chosen = [it for it in ids if queue_of(settings, it, None) == CANARY]
    # Six standard deviations.
    assert abs(len(chosen) / len(ids) - SHARE) < 0.042


async def test_a_task_that_names_a_model_is_none_of_theirs(
    store: TaskStore, on_trial: TaskStore, settings: Settings
) -> None:
    task = await submit(store, 0, OTHER)
    assert queue_of(settings, task.id, OTHER) == OTHER
    assert await claim_all(on_trial, "on-trial") == []


async def test_what_nobody_on_trial_takes_in_time_is_the_others(
    engine: AsyncEngine, store: TaskStore, on_trial: TaskStore
) -> None:
    task = await submit(store, 0)
    assert await claim_all(store, "other") == []
    async with engine.begin() as connection:
        await connection.execute(
            update(task_table).values(created_at=seconds_from_now(-SECONDS - 1))
        )
    assert await claim_all(on_trial, "on-trial") == []
    assert await claim_all(store, "other") == [task.id]


@pytest.mark.parametrize("end", ["retry", "hand_back", "lease"])
async def test_what_a_worker_on_trial_did_not_end_is_the_others(
    engine: AsyncEngine, store: TaskStore, on_trial: TaskStore, end: str
) -> None:
    await submit(store, 0)
    task = await on_trial.claim("on-trial")
    assert task is not None
    claim = Claim(task.id, task.attempt)
    match end:
        case "retry":
            await on_trial.retry(claim, "generation_failed", "RuntimeError")
        case "hand_back":
            await on_trial.hand_back(claim)
        case "lease":
            async with engine.begin() as connection:
                await connection.execute(
                    update(task_table).values(lease_until=seconds_from_now(-1))
                )
            await store.requeue_expired()
    async with engine.begin() as connection:
        await connection.execute(update(task_table).values(retry_at=None))

    assert await claim_all(on_trial, "on-trial") == []
    again = await store.claim("other")
    assert again is not None
    assert (again.id, again.status, again.attempt) == (task.id, Status.RUNNING, 2)


async def test_without_a_trial_everything_is_everybodys(
    engine: AsyncEngine, settings: Settings, store: TaskStore
) -> None:
    task = await submit(store, 0)
    after = settings.model_copy(update={"canary_share": 0})
    assert queue_of(after, task.id, None) is None
    assert await claim_all(TaskStore(engine, after), "other") == [task.id]
