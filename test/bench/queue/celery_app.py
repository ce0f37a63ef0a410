"""Celery with acks_late on Redis: a record in PostgreSQL, results in its PostgreSQL backend."""

import asyncio
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import uvloop
from celery import Celery

from jobs import ACCEPT, store_picture
from load import CONCURRENCY, drive

app = Celery(
    "celery_app",
    broker=os.environ["REDIS_URL"],
    backend="db+" + os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"),
)
app.conf.task_acks_late = True
app.conf.task_track_started = True
app.conf.task_reject_on_worker_lost = True
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_connection_retry_on_startup = True


@app.task(name="generate")
def generate(job: str) -> dict[str, object]:
    return {"job": job, "begun": time.time(), "result": store_picture(job)}


async def main() -> None:
    threads = ThreadPoolExecutor(CONCURRENCY)
    local = threading.local()

    def submit() -> None:
        if not hasattr(local, "database"):
            local.database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        job = uuid.uuid4()
        local.database.execute(ACCEPT.replace("$1", "%s"), (job,))
        generate.apply_async((str(job),), task_id=str(job))

    await drive(lambda: asyncio.get_running_loop().run_in_executor(threads, submit))


if __name__ == "__main__":
    uvloop.run(main())
