"""arq: a record in PostgreSQL, the id through Redis, the result into the record."""

import os
import time
import uuid
from typing import Any

import asyncpg
import uvloop
from arq import create_pool
from arq.connections import RedisSettings

from jobs import ACCEPT, FINISH, START, store_picture
from load import drive

URL = os.environ["DATABASE_URL"]
REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


async def generate(context: dict[str, Any], job: str) -> None:
    database = context["database"]
    await database.execute(START, uuid.UUID(job))
    begun = time.time()
    await database.execute(FINISH, uuid.UUID(job), begun, store_picture(job))


async def connect(context: dict[str, Any]) -> None:
    context["database"] = await asyncpg.create_pool(URL, min_size=1, max_size=1)


class Worker:
    functions = [generate]  # noqa: RUF012
    redis_settings = REDIS
    on_startup = connect
    max_jobs = 1
    poll_delay = 0.01  # by default it looks twice a second, and takes one job a look
    keep_result = 0


async def main() -> None:
    queue = await create_pool(REDIS)
    database = await asyncpg.create_pool(URL, max_size=10)

    async def submit() -> None:
        job = uuid.uuid4()
        await database.execute(ACCEPT, job)
        await queue.enqueue_job("generate", str(job))

    await drive(submit)


if __name__ == "__main__":
    uvloop.run(main())
