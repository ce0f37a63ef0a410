"""Loads the service as it stands behind nginx, with a model that only takes its time.

Reads from standard input what to do, as one JSON object: `attack` (the program that sends),
`workers`, `picture_seconds`, `queue_limit` and `runs`, each with `name` and `moments`, the seconds
from its start at which requests come. Prints one JSON object: of each run every answer as [moment,
seconds, status], the queue as [moment, waiting, in hand], the memory of each part as [moment, bytes
by part], and the processor seconds of each; all of one run before the next.
"""

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores

STEPS = 10
SAMPLE_SECONDS = 0.5
MEMORY_SECONDS = 5
KEY = "secret"
COUNT = (
    "SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running')"
    " FROM tasks WHERE finished_at IS NULL"
)


PARTS = {
    "nginx": "nginx",
    "uvicorn": "api",
    "-m worker": "workers",
    "postgres": "PostgreSQL",
    "redis-server": "Redis",
}
"""By what stands in their command lines."""


def of_each_part(measure: Callable[[psutil.Process], float]) -> dict[str, float]:
    """The sum over its processes."""
    sums = dict.fromkeys(PARTS.values(), 0.0)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            for program, part in PARTS.items():
                if program in command:
                    sums[part] += measure(process)
                    break
    return sums


def processor_seconds(process: psutil.Process) -> float:
    """Since its start, with its processes that are gone."""
    return sum(process.cpu_times()[:4])


def memory(process: psutil.Process) -> float:
    """Its own; PostgreSQL's processes each count the buffers that they share."""
    info = process.memory_info()
    return info.rss - info.shared


@contextlib.contextmanager
def workers(directory: Path, environment: dict[str, str], count: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for number in range(count):
            own = {"WORKER_ID": f"worker-{number}", "METRICS_PORT": str(stores.free_port())}
            log = stack.enter_context((directory / f"{number}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                env=environment | own,
                cwd=directory,
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def target(directory: Path, url: str, plan: Any) -> Path:
    """The request, as vegeta reads it; each waits for its picture."""
    body = {
        "prompt": f"slow {plan['picture_seconds'] / STEPS}",
        "width": 256,
        "height": 256,
        "steps": STEPS,
    }
    file = directory / "target.json"
    request = {
        "method": "POST",
        "url": f"{url}/api/generate",
        "header": {"Authorization": [f"Bearer {KEY}"], "Content-Type": ["application/json"]},
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
    }
    file.write_text(json.dumps(request) + "\n")
    return file


async def run(
    plan: Any, moments: list[float], file: Path, database: asyncpg.Connection
) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(plan["attack"], str(file)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**24,
    )
    before = of_each_part(processor_seconds)
    began = time.time()
    sending = asyncio.create_task(
        process.communicate("\n".join(map(str, moments)).encode() + b"\n")
    )
    queue = []
    memories = []
    while not sending.done():
        moment = time.time() - began
        queue.append([moment, *await database.fetchrow(COUNT)])
        if not memories or moment - memories[-1][0] > MEMORY_SECONDS:
            memories.append([moment, of_each_part(memory)])
        await asyncio.wait([sending], timeout=SAMPLE_SECONDS)
    output, _ = await sending
    if process.returncode:
        raise SystemExit("the requests could not be sent; the message stands above")
    results = [json.loads(line) for line in output.splitlines()]
    sent = [
        [
            datetime.fromisoformat(each["timestamp"]).timestamp() - began,
            each["latency"] / 1e9,
            each["code"],
        ]
        for each in results
    ]
    after = of_each_part(processor_seconds)
    used = {part: after[part] - before[part] for part in after}
    return {"answers": sorted(sent), "queue": queue, "memory": memories, "processor": used}


async def main() -> None:
    plan = json.load(sys.stdin)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-load-")))
        directory.chmod(0o755)
        _, database_url = stack.enter_context(stores.postgres(directory))
        _, redis_url = stack.enter_context(stores.redis(directory))
        engine = create_engine(Settings(database_url=database_url))
        await migrate(engine)
        await engine.dispose()
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PYTHONPATH": str(Path.cwd()),
            "MODEL_ID": "noop",
            "DATA_DIR": str(directory / "pictures"),
            "QUEUE_LIMIT": str(plan["queue_limit"]),
            "RATE_LIMIT": "1000000/minute",
            "API_SECRET": KEY,
        }
        stack.enter_context(workers(directory, environment, plan["workers"]))
        api = stack.enter_context(stores.api(directory, environment))
        url = stack.enter_context(stores.nginx(directory, api.port))
        file = target(directory, url, plan)
        database = await asyncpg.connect(database_url)
        # Until each worker is there and warm.
        warming = [n / 2 / plan["workers"] for n in range(8 * plan["workers"])]
        await run(plan, warming, file, database)
        results = {}
        for each in plan["runs"]:
            print(f"{each['name']}: {len(each['moments'])} requests", file=sys.stderr, flush=True)
            results[each["name"]] = await run(plan, each["moments"], file, database)
        await database.close()
        print(json.dumps(results))


asyncio.run(main())
