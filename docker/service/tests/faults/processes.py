"""Workers and APIs that die, or stand still, in the middle of their work."""

import asyncio
import signal
import time

from tests.faults.checker import check
from tests.faults.scenario import (
    SLOW,
    SLOW_STEPS,
    Outcome,
    Scenario,
    in_lanes,
    running,
    until_taken_over,
    worker_of,
)


async def kill_worker_in_mid_run(trials: int) -> Outcome:
    async with running(workers=5) as (it, clients):

        async def trial() -> float:
            record = await clients.submit(SLOW, steps=SLOW_STEPS)
            worker = await worker_of(it, record)
            await asyncio.sleep(0.3)
            worker.kill()
            recovery = await until_taken_over(it, record)
            await clients.follow(record)
            return recovery

        recoveries = await in_lanes(trials, 4, trial)
        return Outcome(trials, await check(it, clients.history), recoveries)


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


async def freeze_worker_past_its_lease(trials: int) -> Outcome:
    async with running(workers=4) as (it, clients):

        async def trial() -> float:
            record = await clients.submit(SLOW, steps=SLOW_STEPS)
            worker = await worker_of(it, record)
            worker.kill(signal.SIGSTOP)
            try:
                recovery = await until_taken_over(it, record)
            finally:
                worker.kill(signal.SIGCONT)
            await clients.follow(record)
            return recovery

        recoveries = await in_lanes(trials, 2, trial)
        # Whoever was frozen has had its time to interfere.
        await asyncio.sleep(SLOW_STEPS * 0.1 + 1)
        return Outcome(trials, await check(it, clients.history), recoveries)
