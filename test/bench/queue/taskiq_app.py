"""taskiq on Redis Streams: a record in PostgreSQL, the id through Redis, the result back."""

import asyncio
import os
import time
import uuid

import asyncpg
from jobs import ACCEPT, FINISH
from load import drive
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(os.environ["REDIS_URL"])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def connect(state: TaskiqState) -> None:
    broker.state.database = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=1)


@broker.task(task_name="generate")
async def generate(job: str) -> None:
    started = time.time()
    await broker.state.database.execute(FINISH, uuid.UUID(job), started)


async def main() -> None:
    await broker.startup()
    database = await asyncpg.create_pool(os.environ["DATABASE_URL"], max_size=10)

    async def submit() -> None:
        job = uuid.uuid4()
        await database.execute(ACCEPT, job)
        await generate.kiq(str(job))

    await drive(submit)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
