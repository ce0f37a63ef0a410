"""taskiq on Redis Streams: a record in PostgreSQL, the id through Redis, the result back."""

import os
import time
import uuid

import asyncpg
import uvloop
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisStreamBroker

from jobs import ACCEPT, FINISH, START, store_picture
from load import drive

URL = os.environ["DATABASE_URL"]
broker = RedisStreamBroker(os.environ["REDIS_URL"])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def connect(state: TaskiqState) -> None:
    broker.state.database = await asyncpg.create_pool(URL, min_size=1, max_size=1)


@broker.task(task_name="generate")
async def generate(job: str) -> None:
    database = broker.state.database
    await database.execute(START, uuid.UUID(job))
    begun = time.time()
    await database.execute(FINISH, uuid.UUID(job), begun, store_picture(job))


async def main() -> None:
    await broker.startup()
    database = await asyncpg.create_pool(URL, max_size=10)

    async def submit() -> None:
        job = uuid.uuid4()
        await database.execute(ACCEPT, job)
        await generate.kiq(str(job))

    await drive(submit)
    await broker.shutdown()


if __name__ == "__main__":
    uvloop.run(main())
