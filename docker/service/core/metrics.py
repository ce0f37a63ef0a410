"""The metrics, and the small HTTP server on the metrics port that every process has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import prometheus_client
import uvicorn
from prometheus_client import Counter, Gauge, Histogram
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS = Counter("aigc_requests_total", "Requests for pictures", ["endpoint", "status"])
GENERATION = Histogram(
    "aigc_generation_seconds",
    "Time that a worker spends on a task",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 300),
)
START = Gauge("aigc_worker_start_seconds", "How long each phase of the start took", ["phase"])
COMPILED = Gauge("aigc_worker_compiled", "Whether this size is drawn compiled: 1 or 0", ["size"])
GPU_MEMORY = Gauge("aigc_gpu_memory_used_bytes", "GPU memory in use", ["gpu_id"])
QUEUE_SIZE = Gauge("aigc_queue_size", "Queued tasks, counted in the database")
WORK = Gauge(
    "aigc_work_seconds",
    "What one worker would take for all that waits or is being drawn",
    ["model"],
)
QUEUE_AGE = Gauge("aigc_queue_oldest_age_seconds", "How long the oldest queued task has waited")
STORE_UP = Gauge("aigc_store_up", "Whether a store answers the api: 1 or 0", ["store"])
ARCHIVE_FAILS = Gauge(
    "aigc_archive_fails", "Whether the database's last try to archive its log failed: 1 or 0"
)
LAST_DRILL = Gauge(
    "aigc_restore_drill_last_success_timestamp_seconds",
    "When the newest drill ended that restored the database; 0 before the first",
)
DRILL_FAILED = Gauge("aigc_restore_drill_failed", "Whether the newest drill failed: 1 or 0")
DRILL_LOST = Gauge(
    "aigc_restore_drill_lost_seconds", "Of records that the newest good drill would have lost"
)
DRILL_TOOK = Gauge(
    "aigc_restore_drill_restore_seconds", "That the newest good drill took to restore the database"
)
LAST_BACKUP = Gauge(
    "aigc_backup_last_success_timestamp_seconds", "When the newest backup ended; 0 before the first"
)

Check = Callable[[], Awaitable[bool]]
Refresh = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def serve(
    port: int, *, ready: Check, refresh: Refresh, besides: Sequence[Route] = ()
) -> AsyncIterator[None]:
    """Serves /metrics (refreshed at each scrape), /healthz, /readyz and what is given besides."""

    async def metrics(_request: Request) -> Response:
        await refresh()
        return Response(
            prometheus_client.generate_latest(),
            media_type=prometheus_client.CONTENT_TYPE_LATEST,
        )

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if await ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready\n", status_code=503)

    own = [Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)]
    app = Starlette(routes=[*own, *besides])
    server = _Server(
        uvicorn.Config(app, host="0.0.0.0", port=port, log_config=None, lifespan="off")  # noqa: S104
    )
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield
