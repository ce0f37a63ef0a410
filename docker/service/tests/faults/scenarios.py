"""The faults, each with what has to come of it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tasks.redis_broker import STREAM
from tests.faults.checker import Verdict, check
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


async def kill_worker_in_mid_run(trials: int) -> Outcome:
    async with running(workers=5) as (it, clients):

        async def trial() -> float:
            record = await clients.submit(SLOW, steps=SLOW_STEPS)
            worker = await _worker_of(it, record)
            await asyncio.sleep(0.3)
            worker.kill()
            recovery = await _until_taken_over(it, record)
            await clients.follow(record)
            return recovery

        recoveries = await in_lanes(trials, 4, trial)
        return Outcome(trials, await check(it, clients.history), recoveries)


async def _worker_of(it: System, record: Record) -> Member:
    async def is_running() -> bool:
        return bool((await row(it, record))["status"] == "running")

    await until(is_running)
    return it.worker((await row(it, record))["worker_id"])


async def _until_taken_over(it: System, record: Record) -> float:
    async def taken_over() -> bool:
        return bool((await row(it, record))["attempt"] > 1)

    return await until(taken_over)


async def kill_api_before_put(trials: int) -> Outcome:
    async with running(workers=2, api_crash="before-put", crashing_apis=1) as (it, clients):

        async def trial() -> float:
            started = time.monotonic()
            await clients.follow(await clients.submit())
            return time.monotonic() - started

        # One API of the two dies at each task that it accepts: twice as many tasks as kills.
        recoveries = await in_lanes(2 * trials, 2, trial)
        return Outcome(trials, await check(it, clients.history), recoveries)


def kill_worker_at(point: str) -> Scenario:
    async def scenario(trials: int) -> Outcome:
        async with running(workers=4, worker_crash=point) as (it, clients):

            async def trial() -> float:
                started = time.monotonic()
                await clients.follow(await clients.submit())
                return time.monotonic() - started

            recoveries = await in_lanes(trials, 4, trial)
            return Outcome(trials, await check(it, clients.history), recoveries)

    return scenario


async def kill_redis(trials: int) -> Outcome:
    async with running(workers=2) as (it, clients):
        recoveries = []
        for _ in range(trials):
            before = [await clients.submit() for _ in range(3)]
            it.redis.kill()
            started = time.monotonic()
            it.redis.start()
            during = await clients.submit()
            for record in [*before, during]:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
        broken = [] if await _tickets_come_back(it, clients) else ["tickets did not come back"]
        for record in clients.history:
            await clients.follow(record)
        return Outcome(trials, await check(it, clients.history), recoveries, broken=broken)


async def _tickets_come_back(it: System, clients: Clients) -> bool:
    """After FLUSHALL, all that is queued has its ticket again within a minute."""
    for _ in range(30):
        await clients.submit("slow 0.2", steps=3)
    await it.raw_redis.flushall()

    async def all_there() -> bool:
        queued = await it.database.fetchval("SELECT count(*) FROM tasks WHERE status = 'queued'")
        return bool(await it.raw_redis.xlen(STREAM) >= queued)

    try:
        await until(all_there, 60)
    except TimeoutError:
        return False
    return True


async def kill_postgres(trials: int) -> Outcome:
    async with running(workers=2) as (it, clients):
        recoveries = []
        for _ in range(trials):
            before = [await clients.submit("slow 0.05") for _ in range(5)]
            it.postgres.kill()
            during = asyncio.create_task(clients.submit())
            started = time.monotonic()
            it.postgres.start()
            for record in [*before, await during]:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
        return Outcome(trials, await check(it, clients.history), recoveries)


async def keep_postgres_away(trials: int) -> Outcome:
    """For longer than a lease: who drew meanwhile draws on, and is charged nothing."""
    async with running(workers=3) as (it, clients):
        broken: list[str] = []
        for _ in range(trials):
            records = [await clients.submit(SLOW, steps=100) for _ in range(3)]
            for record in records:
                await _worker_of(it, record)
            it.postgres.kill()
            await asyncio.sleep(3 * LEASE_SECONDS)
            it.postgres.start()
            for record in records:
                await clients.follow(record)
                attempt = (await row(it, record))["attempt"]
                if attempt != 1:
                    broken.append(f"{record.task_id}: {attempt} attempts")
        return Outcome(trials, await check(it, clients.history), broken=broken)


async def freeze_worker_past_its_lease(trials: int) -> Outcome:
    async with running(workers=4) as (it, clients):

        async def trial() -> float:
            record = await clients.submit(SLOW, steps=SLOW_STEPS)
            worker = await _worker_of(it, record)
            worker.kill(signal.SIGSTOP)
            try:
                recovery = await _until_taken_over(it, record)
            finally:
                worker.kill(signal.SIGCONT)
            await clients.follow(record)
            return recovery

        recoveries = await in_lanes(trials, 2, trial)
        # Whoever was frozen has had its time to interfere.
        await asyncio.sleep(SLOW_STEPS * 0.1 + 1)
        return Outcome(trials, await check(it, clients.history), recoveries)


async def cut_off_stores(trials: int) -> Outcome:
    """Partition, then five seconds of latency: on Redis, then on PostgreSQL."""
    async with running(workers=2) as (it, clients):
        broken: list[str] = []
        recoveries: list[float] = []
        body = {"prompt": "cut off", "width": 256, "height": 256, "steps": 1}
        for number in range(trials):
            proxy = (it.redis_proxy, it.postgres_proxy)[number // 2 % 2]
            accepted = [await clients.submit() for _ in range(3)]
            proxy.partition() if number % 2 == 0 else proxy.delay(5)
            response = await clients.post(body)  # the client's own limit is 30 s
            if response.status_code != 503 or "retry-after" not in response.headers:
                broken.append(f"trial {number}: {response.status_code} instead of 503")
            if proxy is it.redis_proxy and (await clients.get("/api/tasks")).status_code != 200:
                broken.append(f"trial {number}: reads failed without Redis")
            proxy.heal()
            started = time.monotonic()
            for record in [*accepted, await clients.submit()]:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
        await _forget_the_unanswered(it)
        return Outcome(trials, await check(it, clients.history), recoveries, broken=broken)


async def _forget_the_unanswered(it: System) -> None:
    # A request that was answered 503 may have become a task all the same.
    await it.database.execute("DELETE FROM tasks WHERE parameters->>'prompt' = 'cut off'")


async def fill_redis(trials: int) -> Outcome:
    async with running(workers=2, api_crash="no-limiter") as (it, clients):
        recoveries = []
        for _ in range(trials):
            await it.raw_redis.config_set("maxmemory", 1)
            deferred = [await clients.submit("slow 0.05") for _ in range(5)]
            await it.raw_redis.config_set("maxmemory", 0)
            started = time.monotonic()
            for record in deferred:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
        return Outcome(trials, await check(it, clients.history), recoveries)


async def poison_workers(trials: int) -> Outcome:
    async with running(workers=2) as (it, clients):
        broken: list[str] = []
        healthy = list(clients.history)
        for _ in range(trials):
            for prompt, attempts in (("fail", 3), ("poison", 3), ("out of memory", 2)):
                starts = _worker_starts(it)
                record = await clients.submit(prompt)
                status = await clients.follow(record)
                attempt = (await row(it, record))["attempt"]
                if status != "failed" or attempt != attempts:
                    broken.append(f"{prompt}: {status} after {attempt} attempts")
                replaced = 3 if prompt == "poison" else 0
                await asyncio.sleep(0.5)  # the last process ends after its task
                if _worker_starts(it) - starts != replaced:
                    broken.append(f"{prompt}: {_worker_starts(it) - starts} workers replaced")
            healthy.append(await clients.submit())
            await clients.follow(healthy[-1])
        poisoned = [record for record in clients.history if record not in healthy]
        verdict = await check(it, healthy)
        dead = await check(it, poisoned, "failed")
        known = {record.task_id for record in clients.history}
        strays = [d for d in verdict.duplicated + dead.duplicated if d.split(":")[0] not in known]
        verdict = Verdict(
            verdict.accepted + dead.accepted,
            verdict.lost + dead.lost,
            strays,
            verdict.swapped + dead.swapped,
        )
        return Outcome(trials, verdict, broken=broken)


async def sicken_worker(trials: int) -> Outcome:
    """One of four workers fails whatever it takes."""
    async with running(workers=4, worker_crash="sick", crashing_workers=1) as (it, clients):
        records = await asyncio.gather(*(clients.submit("slow 0.05") for _ in range(15 * trials)))
        await asyncio.gather(*map(clients.follow, records))
        broken = [] if it.workers[0].starts > 1 else ["the sick worker went on"]
        return Outcome(trials, await check(it, clients.history), broken=broken)


def _worker_starts(it: System) -> int:
    return sum(worker.starts for worker in it.workers)


SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "1": ("kill -9 worker in mid-run", kill_worker_in_mid_run),
    "2": ("kill -9 API between commit and XADD", kill_api_before_put),
    "3": ("kill -9 worker before finalise", kill_worker_at("before-finalise")),
    "4": ("kill -9 worker after finalise", kill_worker_at("after-finalise")),
    "4b": ("kill -9 worker between claim and XACK", kill_worker_at("before-acknowledge")),
    "5": ("kill -9 Redis, then FLUSHALL", kill_redis),
    "6": ("SIGSTOP worker past its lease", freeze_worker_past_its_lease),
    "7": ("kill -9 PostgreSQL", kill_postgres),
    "7b": ("PostgreSQL away longer than a lease", keep_postgres_away),
    "8": ("partition, 5 s latency: Redis, PostgreSQL", cut_off_stores),
    "9": ("Redis at maxmemory", fill_redis),
    "10": ("poison tasks", poison_workers),
    "sick": ("a worker that fails every task", sicken_worker),
}
