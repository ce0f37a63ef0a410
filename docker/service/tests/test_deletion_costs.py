"""Kubernetes is told which workers have a task."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.settings import Settings
from tasks.deletion_costs import DeletionCosts
from tasks.redis_broker import RedisBroker
from tasks.store import Claim, TaskStore
from tasks.workload import Workload
from tests.kubernetes import Kubernetes, kubernetes
from tests.test_store import claim, submit

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Kubernetes]:
    with kubernetes(tmp_path / "account") as api:
        yield api


@pytest.fixture
async def broker(clean: None, settings: Settings) -> RedisBroker:
    assert settings.redis_url is not None
    broker = RedisBroker(settings.redis_url)
    for worker in ("busy", "idle"):
        await broker.announce(worker)
    return broker


@pytest.fixture
def costs(
    engine: AsyncEngine, broker: RedisBroker, api: Kubernetes, settings: Settings
) -> DeletionCosts:
    return DeletionCosts(Workload(engine), broker, api.pods, settings)


async def test_a_worker_costs_something_while_it_has_a_task(
    costs: DeletionCosts, api: Kubernetes, store: TaskStore
) -> None:
    await submit(store)
    task = await claim(store, "busy")
    await costs.tick()
    assert (api.cost("busy"), api.cost("idle")) == (1, 0)
    await store.succeed(Claim(task.id, task.attempt), [])
    await costs.tick()
    assert api.cost("busy") == 0


async def test_nothing_is_told_twice(costs: DeletionCosts, api: Kubernetes) -> None:
    for _ in range(3):
        await costs.tick()
    assert sorted(api.patches) == [("busy", "0"), ("idle", "0")]


async def test_pods_that_are_gone_keep_nobody_from_being_told(
    costs: DeletionCosts, api: Kubernetes, store: TaskStore
) -> None:
    api.there = {"busy"}
    await submit(store)
    await claim(store, "busy")
    await costs.tick()
    assert api.patches == [("busy", "1")]


async def test_who_could_not_be_told_is_told_later(costs: DeletionCosts, api: Kubernetes) -> None:
    api.down = True
    with pytest.raises(OSError, match="503"):
        await costs.tick()
    api.down = False
    await costs.tick()
    assert sorted(api.patches) == [("busy", "0"), ("idle", "0")]
