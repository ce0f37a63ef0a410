"""Measures the service's queue beside its peers', on one Redis and one PostgreSQL.

Arguments: the Python that has the peers, tasks a round, rounds. Prints one JSON object.
"""

import asyncio
import contextlib
import json
import os
import pickle
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from core.database import create_engine, migrate
from core.settings import Settings
from jobs import SCHEMA
from tasks.redis_broker import WORKERS as WORKERS_SEEN
from tests import stores
from tests.faults.nursery import Nursery
from tests.faults.scenario import until
from tests.submits import Answer, submit

HERE = Path(__file__).parent
SERVICE = HERE.parents[2] / "docker/service"
WORKERS = 4
PACE = 40
"""Tasks a second while the pick-up latency is measured: the workers idle in between."""
PACED = 600
MANY = 200
"""Workers, such as a thousand pictures in ten seconds take."""
CONNECTIONS_EACH = 3
"""Of many workers to the database, as the stack gives them."""
SUBMIT_RATE = 200
SUBMITS = 2_000
CONNECTIONS = 16
"""To each replica; a request that finds none free waits for one."""


class System:
    """One system under test: its worker processes, its producer, where its outcome is found."""

    def __init__(self, python: str, producer: str, workers: list[list[str]], done: str) -> None:
        self.python = python
        self.producer = producer
        self.workers = workers
        self.done = done
        """SQL that counts the finished tasks."""


def systems(peers: str) -> dict[str, System]:
    module = [peers, "-m"]
    finished = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"
    return {
        "image-service": System(
            sys.executable,
            "image_service",
            [[sys.executable, "-m", "worker"] for _ in range(WORKERS)],
            "SELECT count(*) FROM tasks WHERE status = 'succeeded'",
        ),
        "celery": System(
            peers,
            "celery_app",
            [
                [*module, "celery", "-A", "celery_app", "worker", f"--concurrency={WORKERS}"]
                + ["--without-gossip", "--without-mingle", "--without-heartbeat"]
            ],
            "SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'",
        ),
        "arq": System(
            peers,
            "arq_app",
            [[*module, "arq", "arq_app.Worker"] for _ in range(WORKERS)],
            finished,
        ),
        "taskiq": System(
            peers,
            "taskiq_app",
            [
                [*module, "taskiq", "worker", "taskiq_app:broker"]
                + [f"--workers={WORKERS}", "--max-async-tasks=1"]
            ],
            finished,
        ),
    }


class Bench:
    def __init__(self, directory: Path, database_url: str, redis_url: str) -> None:
        self.directory = directory
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PYTHONPATH": f"{HERE}:{SERVICE}",
            "MODEL_ID": "noop",
            "DATA_DIR": str(directory / "pictures"),
            "QUEUE_LIMIT": "1000000",
            "RATE_LIMIT": "1000000/minute",
            "API_SECRET": "secret",
        }
        self.running: list[subprocess.Popen[bytes]] = []
        self.groups: list[int] = []
        """Of the processes that work."""

    @contextlib.contextmanager
    def processes(self, commands: list[list[str]]) -> Iterator[list[Path]]:
        """Runs them until the block ends. @returns their logs"""
        logs = []
        for number, command in enumerate(commands):
            log = self.directory / f"{number}.log"
            own = {"WORKER_ID": f"worker-{number}", "METRICS_PORT": str(stores.free_port())}
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    env=self.environment | own,
                    cwd=self.directory,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            self.running.append(process)
            self.groups.append(process.pid)
            logs.append(log)
        try:
            yield logs
        finally:
            for process in self.running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.running.clear()
            self.groups.clear()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Stops the running processes for the block: they take no core from it."""
        for group in self.groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in self.groups:
                os.killpg(group, signal.SIGCONT)

    async def produce(self, system: System, count: int, rate: float) -> float:
        """@returns the seconds until all were accepted"""
        process = await asyncio.create_subprocess_exec(
            *(system.python, "-m", system.producer, str(count), str(rate)),
            env=self.environment,
            cwd=self.directory,
            stdout=subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise SystemExit(f"{system.producer} failed")
        return float(output)


@contextlib.asynccontextmanager
async def empty_stores(bench: Bench) -> AsyncIterator[asyncpg.Connection]:
    database = await asyncpg.connect(bench.environment["DATABASE_URL"])
    await database.execute("TRUNCATE tasks, jobs")
    await database.execute("DROP TABLE IF EXISTS celery_taskmeta, celery_tasksetmeta CASCADE")
    await database.execute("DROP SEQUENCE IF EXISTS task_id_sequence, taskset_id_sequence")
    redis = Redis.from_url(bench.environment["REDIS_URL"])
    await redis.flushall()
    await redis.aclose()
    try:
        yield database
    finally:
        await database.close()


async def finished(database: asyncpg.Connection, system: System, count: int) -> None:
    for _ in range(2400):
        with contextlib.suppress(asyncpg.UndefinedTableError):
            if await database.fetchval(system.done) >= count:
                return
        await asyncio.sleep(0.05)
    raise SystemExit(f"{system.producer}: not all of {count} tasks were finished in 120 s")


async def round_of(bench: Bench, name: str, system: System, count: int) -> dict[str, float]:
    async with empty_stores(bench) as database:
        with bench.processes(system.workers) as logs:
            await bench.produce(system, 20, 20)  # until all processes are warm
            await finished(database, system, 20)
            with bench.held():
                accepting = await bench.produce(system, count, 0)
            started = time.perf_counter()
            await finished(database, system, 20 + count)
            finishing = time.perf_counter() - started
            await bench.produce(system, PACED, PACE)
            await finished(database, system, 20 + count + PACED)
            waits = sorted(await pick_ups(database, name, logs))
        return {
            "accepted/s": count / accepting,
            "finished/s": count / finishing,
            "pick-up p50 ms": quantile(waits, 0.5),
            "pick-up p99 ms": quantile(waits, 0.99),
        }


async def round_of_many(bench: Bench, system: System, count: int) -> dict[str, float]:
    """The same with MANY workers, forks of one process. Twice is accepted: once while they draw."""
    async with empty_stores(bench) as database, many_workers(bench) as logs:
        with bench.held():
            accepting = await bench.produce(system, count, 0)
        started = time.perf_counter()
        await finished(database, system, count)
        finishing = time.perf_counter() - started
        accepting_beside = await bench.produce(system, count, 0)
        await finished(database, system, 2 * count)
        await bench.produce(system, PACED, PACE)
        await finished(database, system, 2 * count + PACED)
        waits = sorted(await pick_ups(database, "image-service", logs))
        return {
            "accepted/s": count / accepting,
            "accepted/s while they draw": count / accepting_beside,
            "finished/s": count / finishing,
            "pick-up p50 ms": quantile(waits, 0.5),
            "pick-up p99 ms": quantile(waits, 0.99),
        }


@contextlib.asynccontextmanager
async def many_workers(bench: Bench) -> AsyncIterator[list[Path]]:
    """@returns their logs, once all have announced themselves"""
    logs = []
    nursery = Nursery()
    redis = Redis.from_url(bench.environment["REDIS_URL"])

    async def announced() -> bool:
        return bool(await redis.zcard(WORKERS_SEEN) == MANY)

    try:
        for number in range(MANY):
            own = {
                "WORKER_ID": f"worker-{number}",
                "METRICS_PORT": str(stores.free_port()),
                "DATABASE_CONNECTIONS": str(CONNECTIONS_EACH),
            }
            logs.append(bench.directory / f"many-{number}.log")
            pid = nursery.start("worker", bench.environment | own, logs[-1])
            bench.groups.append(pid)
        await until(announced, 120)
        yield logs
    finally:
        await redis.aclose()
        nursery.close()
        bench.groups.clear()


async def pick_ups(database: asyncpg.Connection, name: str, logs: list[Path]) -> list[float]:
    """Milliseconds between a paced task's record and its work in a worker, its start on record."""
    if name == "image-service":
        begun = {}
        for log in logs:
            for line in log.read_text().splitlines():
                entry = json.loads(line)
                if entry["message"] == "task started":
                    begun[entry["task_id"]] = datetime.fromisoformat(entry["time"]).timestamp()
        rows = await database.fetch("SELECT id, created_at FROM tasks ORDER BY created_at")
        waits = [begun[str(row["id"])] - row["created_at"].timestamp() for row in rows]
    elif name == "celery":
        rows = await database.fetch(
            "SELECT jobs.created_at, meta.result FROM jobs"
            " JOIN celery_taskmeta meta ON meta.task_id = jobs.id::text ORDER BY jobs.created_at"
        )
        starts = [pickle.loads(row["result"])["begun"] for row in rows]
        waits = [at - row["created_at"].timestamp() for at, row in zip(starts, rows, strict=True)]
    else:
        rows = await database.fetch("SELECT created_at, begun_at FROM jobs ORDER BY created_at")
        waits = [(row["begun_at"] - row["created_at"]).total_seconds() for row in rows]
    return [1000 * wait for wait in waits[-PACED:]]


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def submit_latency(bench: Bench) -> float:
    """p95 in milliseconds of POST /api/generate at SUBMIT_RATE, over two replicas, from when one
    was due."""
    async with empty_stores(bench):
        with contextlib.ExitStack() as stack:
            ports = [
                stack.enter_context(stores.api(bench.directory, bench.environment)).port
                for _ in range(2)
            ]
            answers: list[Answer] = []
            started = time.time()
            due = iter(started + number / SUBMIT_RATE for number in range(SUBMITS))
            clients = (submit(port, "secret", due, answers) for port in ports * CONNECTIONS)
            await asyncio.gather(*clients)
            assert all(answer.task for answer in answers)
    return quantile(sorted(1000 * (answer.at - answer.due) for answer in answers), 0.95)


async def main() -> None:
    peers, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-queue-")))
        directory.chmod(0o755)
        _, database_url = stack.enter_context(
            stores.postgres(directory, connections=CONNECTIONS_EACH * MANY + 100)
        )
        _, redis_url = stack.enter_context(stores.redis(directory))
        bench = Bench(directory, database_url, redis_url)
        engine = create_engine(Settings(database_url=database_url))
        await migrate(engine)
        await engine.dispose()
        database = await asyncpg.connect(database_url)
        await database.execute(SCHEMA)
        await database.close()

        results: dict[str, list[dict[str, float]]] = {}
        for number in range(rounds):
            for name, system in systems(peers).items():
                result = await round_of(bench, name, system, count)
                results.setdefault(name, []).append(result)
                shown = ", ".join(f"{key} {value:.1f}" for key, value in result.items())
                print(f"round {number + 1}: {name}: {shown}", file=sys.stderr, flush=True)
            result = await round_of_many(bench, systems(peers)["image-service"], count)
            results.setdefault(f"{MANY} workers", []).append(result)
        medians = {
            name: {key: statistics.median(one[key] for one in of) for key in of[0]}
            for name, of in results.items()
        }
        print(json.dumps({**medians, "submit p95 ms": await submit_latency(bench)}))


asyncio.run(main())
