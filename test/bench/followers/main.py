"""Followers of tasks on one replica of the api: how long an event takes to reach them, and the
memory that they take. Prints one JSON object.

    python main.py FOLLOWERS
"""

import asyncio
import contextlib
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from core.database import create_engine, migrate
from core.schema import OPERATOR_KEY_ID, Status
from core.settings import Settings
from tasks.broker import Event
from tasks.parameters import Parameters
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from tests import stores

TASKS = 100
"""Each drawn by a worker, and followed by its share."""
STEPS = 20
"""Events of each task, one a second."""


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


async def main() -> None:
    followers = int(sys.argv[1])
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="followers-")))
        directory.chmod(0o755)
        _, database_url = stack.enter_context(stores.postgres(directory))
        _, redis_url = stack.enter_context(stores.redis(directory))
        settings = Settings(database_url=database_url, redis_url=redis_url)
        engine = create_engine(settings)
        await migrate(engine)
        store, broker = TaskStore(engine, settings), RedisBroker(redis_url)
        parameters = Parameters(prompt="a cat", width=256, height=256, steps=100, seed=1)
        tasks: list[UUID] = []
        for number in range(TASKS):
            await store.submit(parameters, key_id=OPERATOR_KEY_ID, request_id="bench")
            task = await store.claim(f"worker-{number}")
            assert task
            tasks.append(task.id)
        environment = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "MODEL_ID": "noop",
            "DATA_DIR": str(directory),
            "API_SECRET": "secret",
        }
        api = stack.enter_context(stores.api(directory, environment))
        alone = resident_mb(api.pid)

        published: dict[tuple[UUID, int], float] = {}
        delays: list[float] = []
        following = asyncio.Semaphore(0)

        async def follow(task_id: UUID) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.write(
                f"GET /api/tasks/{task_id}/events HTTP/1.1\r\nHost: localhost\r\n"
                "Authorization: Bearer secret\r\n\r\n".encode()
            )
            told = False
            while line := await reader.readline():
                if line.startswith(b"event: started"):
                    told = True
                    following.release()
                if told and line.startswith(b"data: ") and b'"step"' in line:
                    step = json.loads(line[6:])["step"]
                    delays.append(1000 * (time.perf_counter() - published[task_id, step]))
                    if step == STEPS:
                        break
            writer.close()

        async with asyncio.TaskGroup() as group:
            for number in range(followers):
                group.create_task(follow(tasks[number % TASKS]))
            for _ in range(followers):
                await following.acquire()
            started = time.perf_counter()
            for number in range(TASKS * STEPS):
                await asyncio.sleep(max(0, started + number / TASKS - time.perf_counter()))
                step, task_id = 1 + number // TASKS, tasks[number % TASKS]
                published[task_id, step] = time.perf_counter()
                await broker.publish(Event(task_id, Status.RUNNING, step))
            memory = resident_mb(api.pid)
        delays.sort()
        result = {
            "memory MB": memory,
            "memory of the followers MB": memory - alone,
            "delay p50 ms": delays[len(delays) // 2],
            "delay p95 ms": delays[int(0.95 * len(delays))],
            "delivered of 100": 100 * len(delays) / (followers * STEPS),
        }
        await broker.close()
        await engine.dispose()
    print(json.dumps(result))


asyncio.run(main())
