"""Submits tasks to the api for so many seconds, and until it accepts them where it doesn't then.
Prints every answer as [due, at, task], moments in seconds since 1970.

    python load.py DATABASE_URL SECONDS RATE
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores
from tests.submits import Answer, submit

CONNECTIONS = 8
KEY = "secret"


async def main() -> None:
    url, seconds, rate = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    engine = create_engine(Settings(database_url=url))
    await migrate(engine)
    await engine.dispose()
    answers: list[Answer] = []

    def moments() -> Iterator[float]:
        moment, end = time.time(), time.time() + seconds
        while moment < end or not answers[-1].task:
            # Those that an outage kept from being sent are left out.
            yield (moment := max(moment + 1 / rate, time.time() - 1))

    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-restore-")))
        _, redis_url = stack.enter_context(stores.redis(directory))
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "MODEL_ID": "noop",
            "DATA_DIR": str(directory / "pictures"),
            "QUEUE_LIMIT": "1000000",
            "RATE_LIMIT": "1000000/minute",
            "API_SECRET": KEY,
        }
        api = stack.enter_context(stores.api(directory, environment))
        each = moments()
        await asyncio.gather(*(submit(api.port, KEY, each, answers) for _ in range(CONNECTIONS)))
    print(json.dumps([astuple(answer) for answer in answers]))


asyncio.run(main())
