"""The whole service as processes on this machine, and every way to hurt it."""

import asyncio
import itertools
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import asyncpg
from redis.asyncio import Redis

from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores
from tests.faults import nursery
from tests.faults.proxy import Proxy

LEASE_SECONDS = 2.0
SECRET = "operator-secret"

_TRANSITIONS = """
CREATE TABLE transitions (task_id uuid, status text, attempt int, at timestamptz DEFAULT now());
CREATE FUNCTION note_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' OR NEW.status <> OLD.status THEN
    INSERT INTO transitions VALUES (NEW.id, NEW.status, NEW.attempt);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_transition AFTER INSERT OR UPDATE ON tasks
  FOR EACH ROW EXECUTE FUNCTION note_transition();
"""


class Member:
    """An API or worker process under a name that outlives it."""

    def __init__(self, system: "System", kind: str, name: str, crash: str = "") -> None:
        self._system = system
        self.kind = kind
        self.name = name
        self.crash = crash
        self.env: dict[str, str] = {}
        self.port = stores.free_port()
        self._metrics_port = stores.free_port()
        self.pid = 0
        self.starts = 0
        self._wanted = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return nursery.alive(self.pid)

    def start(self) -> None:
        env = (
            self._system.env
            | self.env
            | {
                "WORKER_ID": self.name,
                "PORT": str(self.port),
                "METRICS_PORT": str(self._metrics_port),
            }
        )
        log = self._system.directory / f"{self.name}.log"
        self.starts += 1
        self.pid = self._system.nursery.start(self.kind, env, log, self.crash)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        nursery.kill(self.pid, number)

    async def supervise(self) -> None:
        """Replaces the process when it dies, as Kubernetes would."""
        while True:
            if self._wanted and not self.alive:
                self.start()
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Is told to end, and ends; nothing replaces it."""
        self._wanted = False
        self.kill(signal.SIGTERM)
        while self.alive:
            await asyncio.sleep(0.02)

    def vanish(self) -> None:
        """Is gone at once, and nothing replaces it."""
        self._wanted = False
        self.kill()

    def come_back(self) -> None:
        self._wanted = True


class System:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.nursery = nursery.Nursery()
        self.env: dict[str, str] = {}
        self.apis: list[Member] = []
        self.workers: list[Member] = []

    def worker(self, name: str) -> Member:
        return next(worker for worker in self.workers if worker.name == name)


@asynccontextmanager
async def system(
    *,
    workers: int = 4,
    worker_crash: str = "",
    crashing_workers: int | None = None,
    api_crash: str = "",
    crashing_apis: int = 2,
    max_wait_seconds: float = 300,
    canary_share: float = 0,
    env: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[System]:
    """Two APIs and some workers on stores of their own; of each kind the first are armed, by
    default all workers. With a share for it, the first worker is on trial."""
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        directory = Path(name)
        directory.chmod(0o755)
        it = System(directory)
        stack.callback(it.nursery.close)
        it.postgres, it.postgres_url = stack.enter_context(stores.postgres(directory))
        it.redis, it.redis_url = stack.enter_context(stores.redis(directory))
        await _create_schema(it.postgres_url)
        async with AsyncExitStack() as tasks:
            it.redis_proxy = await tasks.enter_async_context(Proxy.before(it.redis.port))
            it.postgres_proxy = await tasks.enter_async_context(Proxy.before(it.postgres.port))
            it.env = {
                "API_SECRET": SECRET,
                "DATABASE_URL": _through(it.postgres_url, it.postgres.port, it.postgres_proxy),
                "REDIS_URL": _through(it.redis_url, it.redis.port, it.redis_proxy),
                "DATA_DIR": str(directory / "pictures"),
                "MODEL_ID": "noop",
                "RATE_LIMIT": "1000000/minute",
                "QUEUE_LIMIT": "100000",
                "LEASE_SECONDS": str(LEASE_SECONDS),
                "HEARTBEAT_SECONDS": "0.5",
                "RELAY_SECONDS": "0.5",
                "MAX_WAIT_SECONDS": str(max_wait_seconds),
                "CANARY_SHARE": str(canary_share),
                **env,
            }
            it.database = await asyncpg.create_pool(it.postgres_url, min_size=0, max_size=4)
            tasks.push_async_callback(it.database.close)
            it.raw_redis = Redis.from_url(it.redis_url)
            tasks.push_async_callback(it.raw_redis.aclose)
            for number in range(2):
                crash = api_crash if number < crashing_apis else ""
                it.apis.append(Member(it, "api", f"api-{number}", crash))
            for number in range(workers):
                armed = crashing_workers is None or number < crashing_workers
                crash = worker_crash if armed else ""
                it.workers.append(Member(it, "worker", f"worker-{number}", crash))
            if canary_share:
                it.workers[0].env = {"CANARY": "true"}
            for member in itertools.chain(it.apis, it.workers):
                member.start()
                tasks.callback(asyncio.create_task(member.supervise()).cancel)
            yield it


async def _create_schema(url: str) -> None:
    engine = create_engine(Settings(database_url=url))
    await migrate(engine)
    await engine.dispose()
    connection = await asyncpg.connect(url)
    await connection.execute(_TRANSITIONS)
    await connection.close()


def _through(url: str, port: int, proxy: Proxy) -> str:
    return url.replace(f":{port}/", f":{proxy.port}/")
