"""A receiver of webhooks and pictures: right, wrong, slow or gone, by what its address says."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.stores import free_port


@dataclass
class Receiver:
    url: str
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """What it has answered with 204: headers and body."""
    asked: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    """What it answers with, by path."""


@contextlib.asynccontextmanager
async def receiver(chance: random.Random | None = None) -> AsyncIterator[Receiver]:
    """Takes what is sent to /; refuses at /STATUS; redirects at /redirect; fails three in ten at
    /flaky, in each way that there is."""
    it = Receiver(f"http://127.0.0.1:{free_port()}")

    async def answer(request: Request) -> Response:
        it.asked += 1
        body = await request.body()
        path = request.path_params["path"]
        if path in it.files:
            return Response(it.files[path])
        if path.isdigit():
            return Response(status_code=int(path))
        if path == "redirect":
            return RedirectResponse(it.url, 307)
        if path == "flaky" and chance and chance.random() < 0.3:
            if chance.random() < 0.3:
                raise ConnectionError  # after it was read, as a crash does
            return Response(status_code=chance.choice([400, 404, 429, 500, 503]))
        it.taken.append((dict(request.headers), body))
        return Response(status_code=204)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST", "PUT", "GET"])])
    port = int(it.url.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield it
    finally:
        server.should_exit = True
        await serving
