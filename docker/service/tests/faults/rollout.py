"""A new release while clients follow their tasks: each API leaves in its turn."""

import asyncio
import signal

from tests.faults.checker import check
from tests.faults.scenario import Outcome, running

STREAMS = 8


async def roll_out_under_streams(trials: int) -> Outcome:
    async with running(workers=4, max_wait_seconds=2) as (it, clients):
        broken: list[str] = []
        for _ in range(trials):
            records = [await clients.submit("slow 0.1", steps=25) for _ in range(STREAMS)]
            streams = asyncio.gather(*(clients.stream(record, broken) for record in records))
            for api in it.apis:
                await asyncio.sleep(0.5)
                starts = api.starts
                api.kill(signal.SIGTERM)
                while api.starts == starts:
                    await asyncio.sleep(0.05)
            await streams
            for record in records:
                await clients.follow(record)
        return Outcome(trials, await check(it, clients.history), broken=broken)
