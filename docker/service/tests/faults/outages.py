"""Stores that die, are away, slow or full."""

import asyncio
import time

from tasks.redis_broker import STREAM
from tests.faults.checker import check
from tests.faults.clients import Clients
from tests.faults.scenario import (
    SLOW,
    SLOW_STEPS,
    Outcome,
    row,
    running,
    until,
    worker_of,
)
from tests.faults.system import LEASE_SECONDS, System


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


async def kill_postgres_in_a_checkpoint(trials: int) -> Outcome:
    async with running(workers=2) as (it, clients):
        log = it.directory / "postgres.log"
        recoveries = []
        cut_off = 0

        async def checkpoint_runs() -> bool:
            text = log.read_text()
            return text.rfind("checkpoint starting") > text.rfind("checkpoint complete")

        await it.database.execute("CREATE TABLE ballast (text text)")
        for _ in range(trials):
            # 40 MB for it to write.
            await it.database.execute(
                "INSERT INTO ballast SELECT repeat('x', 1000) FROM generate_series(1, 40000)"
            )
            before = [await clients.submit("slow 0.05") for _ in range(5)]
            checkpoint = asyncio.create_task(it.database.execute("CHECKPOINT"))
            await until(checkpoint_runs)
            it.postgres.kill()
            cut_off += await checkpoint_runs()
            started = time.monotonic()
            it.postgres.start()
            await asyncio.gather(checkpoint, return_exceptions=True)
            for record in [*before, await clients.submit()]:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
        broken = [] if cut_off else ["no checkpoint was cut off"]
        return Outcome(trials, await check(it, clients.history), recoveries, broken=broken)


async def keep_postgres_away(trials: int) -> Outcome:
    """For longer than a lease: who drew meanwhile draws on, and is charged nothing."""
    async with running(workers=3) as (it, clients):
        broken: list[str] = []
        for _ in range(trials):
            records = [await clients.submit(SLOW, steps=100) for _ in range(3)]
            for record in records:
                await worker_of(it, record)
            it.postgres.kill()
            await asyncio.sleep(3 * LEASE_SECONDS)
            it.postgres.start()
            for record in records:
                await clients.follow(record)
                attempt = (await row(it, record))["attempt"]
                if attempt != 1:
                    broken.append(f"{record.task_id}: {attempt} attempts")
        return Outcome(trials, await check(it, clients.history), broken=broken)


async def lose_node(trials: int) -> Outcome:
    """With PostgreSQL, an API and a worker that draws. Nobody is told; they start elsewhere when
    Kubernetes has noticed, PostgreSQL with its volume."""
    async with running(workers=3) as (it, clients):
        recoveries = []
        for _ in range(trials):
            before = [await clients.submit(SLOW, steps=SLOW_STEPS) for _ in range(5)]
            members = [it.apis[0], await worker_of(it, before[0])]
            it.postgres_proxy.vanish()
            it.postgres.kill()
            for member in members:
                member.vanish()
            during = asyncio.create_task(clients.submit())
            started = time.monotonic()
            await asyncio.sleep(2 * LEASE_SECONDS)
            it.postgres.start()
            it.postgres_proxy.heal()
            for member in members:
                member.come_back()
            for record in [*before, await during]:
                await clients.follow(record)
            recoveries.append(time.monotonic() - started)
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
