"""What every producer does with its way to submit a task."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

CONCURRENCY = 16


async def drive(submit: Callable[[], Awaitable[object]]) -> None:
    """Arguments: how many tasks, how many a second (0: as fast as they are accepted).

    Prints the seconds until the last one was accepted.
    """
    count, rate = int(sys.argv[1]), float(sys.argv[2])
    started = time.perf_counter()
    if rate:
        pending = []
        for number in range(count):
            await asyncio.sleep(max(0, started + number / rate - time.perf_counter()))
            pending.append(asyncio.create_task(_call(submit)))
        await asyncio.gather(*pending)
    else:
        turns = iter(range(count))

        async def client() -> None:
            for _ in turns:
                await submit()

        await asyncio.gather(*(client() for _ in range(CONCURRENCY)))
    print(time.perf_counter() - started)


async def _call(submit: Callable[[], Awaitable[object]]) -> None:
    await submit()
