"""What every fault is tried with: a running system, clients, and what came of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.checker import Verdict
from tests.faults.clients import Clients, Record
from tests.faults.system import LEASE_SECONDS, Member, System, system

SLOW_STEPS = 10
SLOW = "slow 0.1"
RECOVERY_LIMIT = LEASE_SECONDS + 30


@dataclass
class Outcome:
    trials: int
    verdict: Verdict
    recoveries: list[float] = field(default_factory=list)
    limit: float = RECOVERY_LIMIT
    broken: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        slow = max(self.recoveries, default=0) > self.limit
        return self.verdict.clean and not self.broken and not slow


Scenario = Callable[[int], Awaitable[Outcome]]


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[tuple[System, Clients]]:
    async with system(**options) as it:
        clients = Clients(it)
        try:
            # Everything is up when a first task has gone through.
            await clients.follow(await clients.submit())
            yield it, clients
        finally:
            await clients.close()


async def in_lanes(trials: int, lanes: int, trial: Callable[[], Awaitable[float]]) -> list[float]:
    """Runs trials side by side; returns their recovery times."""
    left = iter(range(trials))
    recoveries: list[float] = []

    async def lane() -> None:
        for _ in left:
            recoveries.append(await trial())  # noqa: PERF401 - lanes share the list

    await asyncio.gather(*(lane() for _ in range(lanes)))
    return recoveries


async def row(it: System, record: Record) -> Any:
    return await it.database.fetchrow("SELECT * FROM tasks WHERE id = $1", record.task_id)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> float:
    """How long it took; raises when it takes too long."""
    started = time.monotonic()
    while not await condition():
        if time.monotonic() - started > seconds:
            raise TimeoutError("the system did not recover")
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def worker_of(it: System, record: Record) -> Member:
    async def is_running() -> bool:
        return bool((await row(it, record))["status"] == "running")

    await until(is_running)
    return it.worker((await row(it, record))["worker_id"])


async def until_taken_over(it: System, record: Record) -> float:
    async def taken_over() -> bool:
        return bool((await row(it, record))["attempt"] > 1)

    return await until(taken_over)
