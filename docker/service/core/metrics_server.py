"""The small HTTP server on the metrics port that every process has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.metrics import Process, registry

Check = Callable[[], Awaitable[bool]]
Refresh = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def serve(
    port: int,
    processes: Collection[Process],
    *,
    ready: Check,
    refresh: Refresh,
    besides: Sequence[Route] = (),
) -> AsyncIterator[None]:
    """Serves /metrics of these processes (refreshed at each scrape), /healthz, /readyz and what is
    given besides."""
    own = registry(processes)

    async def metrics(_request: Request) -> Response:
        await refresh()
        return Response(generate_latest(own), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if await ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready\n", status_code=503)

    routes = [Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)]
    app = Starlette(routes=[*routes, *besides])
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
