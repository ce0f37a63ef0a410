"""Random scale-ins under load, in which Kubernetes takes those away that it is told are idle."""

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from core.database import create_engine
from core.settings import Settings
from tasks.deletion_costs import DeletionCosts
from tasks.redis_broker import RedisBroker
from tasks.workload import Workload
from tests.faults.checker import check
from tests.faults.clients import Clients, Record
from tests.faults.scenario import Outcome, row, running
from tests.faults.system import System
from tests.kubernetes import Kubernetes, kubernetes

WORKERS = 5


class _Known:
    """What Kubernetes knows: the deletion costs of a moment, by the database's clock."""

    def __init__(self, it: System) -> None:
        self._it = it
        self.at = datetime.min.replace(tzinfo=UTC)

    async def keep(self, costs: DeletionCosts) -> None:
        while True:
            now = await self._it.database.fetchval("SELECT clock_timestamp()")
            await costs.tick()
            self.at = now
            await asyncio.sleep(0.5)


async def scale_at_random(trials: int) -> Outcome:
    async with running(workers=WORKERS) as (it, clients), AsyncExitStack() as stack:
        api = stack.enter_context(kubernetes(it.directory / "account"))
        known = await _tell_deletion_costs(it, api, stack)
        broken: list[str] = []
        for number in range(trials):
            records = [await _submit(clients) for _ in range(random.randrange(1, 6))]
            await asyncio.sleep(random.uniform(1.5, 2.5))
            # Now and then to none: from there the next trial's first task wakes them.
            stay = random.randrange(1, WORKERS) if number % 5 else 0
            broken += await _scale_in(it, api, known, stay)
            await asyncio.sleep(random.uniform(0, 0.5))
            for worker in it.workers:
                worker.come_back()
            for record in records:
                await clients.follow(record)
            for record in records:
                broken += await _charged(it, record)
        return Outcome(trials, await check(it, clients.history), broken=broken)


async def _tell_deletion_costs(it: System, api: Kubernetes, stack: AsyncExitStack) -> _Known:
    settings = Settings(database_url=it.postgres_url, redis_url=it.redis_url)
    engine, broker = create_engine(settings), RedisBroker(it.redis_url)
    stack.push_async_callback(engine.dispose)
    stack.push_async_callback(broker.close)
    costs = DeletionCosts(Workload(engine), broker, api.pods, settings)
    known = _Known(it)
    stack.callback(asyncio.create_task(known.keep(costs)).cancel)
    return known


async def _submit(clients: Clients) -> Record:
    """Some take a moment, some as long as a scale-in, in several pictures."""
    return await clients.submit(
        f"slow {random.choice([0.02, 0.1, 0.2])}", steps=5, num_images=random.randrange(1, 5)
    )


async def _scale_in(it: System, api: Kubernetes, known: _Known, stay: int) -> list[str]:
    """Takes the cheapest away, as a ReplicaSet does."""
    at = known.at
    members = random.sample(it.workers, len(it.workers))
    ranked = sorted(members, key=lambda worker: api.cost(worker.name))
    leaving, staying = ranked[: WORKERS - stay], ranked[WORKERS - stay :]
    busy = await _names(it, "status = 'running' AND started_at < $1", at)
    stirring = await _names(it, "status = 'running' OR finished_at > $1", at)
    wrong = [worker.name for worker in leaving if worker.name in busy]
    idle = [worker.name for worker in staying if worker.name not in stirring]
    await asyncio.gather(*(worker.leave() for worker in leaving))
    return [f"{wrong} left, which were busy, while {idle} stood by"] if wrong and idle else []


async def _names(it: System, where: str, at: datetime) -> set[str]:
    rows = await it.database.fetch(f"SELECT worker_id FROM tasks WHERE {where}", at)
    return {row["worker_id"] for row in rows}


async def _charged(it: System, record: Record) -> list[str]:
    left = (await row(it, record))["attempts_left"]
    return [] if left == 3 else [f"{record.task_id}: {left} attempts are left"]
