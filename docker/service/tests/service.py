"""The service, started inside the test: real HTTP, a model that paints one colour."""

import asyncio
import contextlib
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from PIL import Image
from pydantic import SecretStr

import api.application
import standalone
from core.database import create_engine, migrate
from core.settings import Settings
from tasks.images import ImageStore
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from tests.stores import free_port
from worker.worker import Worker

SECRET = "operator-secret"
SMALL = {"prompt": "a cat", "width": 256, "height": 256, "steps": 2, "seed": 7}


async def on(database_url: str, redis_url: str, data_dir: Path, **others: Any) -> Settings:
    """Settings of a service on a database that has nothing in it yet."""
    settings = Settings(
        api_secret=SecretStr(SECRET),
        database_url=database_url,
        redis_url=redis_url,
        data_dir=data_dir,
        model_id="noop",
        **others,
    )
    engine = create_engine(settings)
    await migrate(engine)
    await engine.dispose()
    return settings


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Runs an API process's app and gives a client that has the operator's key."""
    settings = settings.model_copy(update={"metrics_port": free_port()})
    port = free_port()
    # As in the image: the service has its own rule for proxies.
    app = (standalone if settings.standalone else api.application).create_app(settings)
    config = uvicorn.Config(app, port=port, log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {SECRET}"},
        timeout=30,
    )
    client.app = app  # type: ignore[attr-defined]
    client.server = server  # type: ignore[attr-defined]
    client.metrics_url = f"http://127.0.0.1:{settings.metrics_port}/metrics"  # type: ignore[attr-defined]
    try:
        async with client:
            yield client
    finally:
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[None]:
    """A worker beside the API; standalone mode has its own."""
    if settings.redis_url is None:
        yield
        return
    engine = create_engine(settings)
    store, broker = TaskStore(engine, settings), RedisBroker(settings.redis_url)
    worker = Worker(store, broker, ImageStore(settings), settings)
    working = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await working
        await broker.close()
        await engine.dispose()


def colour(prompt: str, seed: int) -> tuple[int, ...]:
    """What the no-op model paints."""
    return tuple(hashlib.sha256(f"{prompt}|{seed}".encode()).digest()[:3])


def colour_of(data: bytes) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel
