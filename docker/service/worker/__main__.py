"""python -m worker"""

import asyncio
import os
import signal

import uvloop

from core import logs, metrics, metrics_server, tracing
from core.database import create_engine
from core.settings import Settings
from tasks.images import ImageStore
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from worker.driver import DriverTooOld
from worker.model import Poisoned, Sick
from worker.worker import Worker


async def main() -> None:
    settings = Settings()
    if settings.database_url is None or settings.redis_url is None:
        raise SystemExit("A worker needs DATABASE_URL and REDIS_URL.")
    tracing.start("worker", settings)
    engine = create_engine(settings)
    store = TaskStore(engine, settings)
    broker = RedisBroker(settings.redis_url)
    worker = Worker(store, broker, ImageStore(settings), settings)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not worker.loaded:
            os._exit(
                0
            )  # the thread that loads can't be interrupted, and there is nothing to finish
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    async def ready() -> bool:
        return worker.ready

    async def refresh() -> None:
        for gpu, used in worker.memory_used().items():
            metrics.GPU_MEMORY.labels(gpu).set(used)

    async with metrics_server.serve(
        settings.metrics_port, ["worker"], ready=ready, refresh=refresh
    ):
        try:
            await worker.run()
        except (Poisoned, Sick) as error:
            raise SystemExit(f"The GPU failed: {error}") from error
        except DriverTooOld as error:
            raise SystemExit(str(error)) from None
    await broker.close()
    await engine.dispose()
    tracing.stop()


logs.configure()
uvloop.run(main())
os._exit(0)  # the thread that swaps in what was compiled can't be interrupted either
